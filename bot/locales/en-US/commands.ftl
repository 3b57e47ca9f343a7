# Commands, as Discord lists them

command-jobs = See what's in progress and collect images that didn't arrive
command-usage = See your credits: used, left, and what images cost
command-quota = Manage credit limits
command-quota-set = Limit credits for everyone, a role, a member, or all members together
command-quota-set-limit = Number of credits (1 credit = one 1K image, 0 = blocked)
command-quota-set-per = Per hour, day, week or month
command-quota-set-who = A member or a role (empty = everyone)
command-quota-set-together = One limit that all members share
command-quota-clear = Remove a limit
command-quota-clear-per = Only the limit per hour, day, week or month (empty = all of them)
command-quota-clear-who = A member or a role (empty = everyone)
command-quota-clear-together = The limit that all members share
command-quota-grant = Give extra credits, or set usage back to 0
command-quota-grant-who = A member or a role (empty = everyone)
command-quota-grant-amount = Extra credits until the next reset
command-quota-grant-start_over = Set usage back to 0 first
command-quota-show = See all limits and this month's usage
command-quota-report = See usage as a chart, with top members and CSV tables
command-quota-report-months_ago = 0 = this month, 1 = last month (empty = the last 30 days)
command-quota-pool = Old name of /quota set together, goes away in the next version
command-quota-pool-limit = Number of credits (1 credit = one 1K image, 0 = blocked)
command-quota-pool-per = Per hour, day, week or month
command-quota-reset = Old name of /quota grant start_over, goes away in the next version
command-quota-reset-who = A member or a role
command-quota-export = Old name of /quota report, goes away in the next version
command-quota-export-months_ago = 0 = this month, 1 = last month, and so on
choice-hour = hour
choice-day = day
choice-week = week
choice-month = month
option-default = default: { $value }
option-default-on = default: on
option-default-off = default: off
option-random = random
menu-remove-image = Remove image
menu-edit-image = Edit image
menu-who-made-this = Who made this
menu-unblock-from-images = Unblock from images
file-option = image
file-first = The picture to edit
file-more = Another picture
group-models = Generate and edit images with other models
