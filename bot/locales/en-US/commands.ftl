# Commands, as Discord lists them

command-jobs = See what's in progress and collect images that didn't arrive
command-usage = See your credits: used, left, and what images cost
command-quota = Manage credit limits
command-quota-set = Limit credits for everyone, a role or a member
command-quota-set-limit = Number of credits (1 credit = one 1K image, 0 = blocked)
command-quota-set-per = Per hour, day, week or month
command-quota-set-who = A member or a role (empty = everyone)
command-quota-pool = Set the limit that all members share
command-quota-pool-limit = Number of credits (1 credit = one 1K image, 0 = blocked)
command-quota-pool-per = Per hour, day, week or month
command-quota-clear = Remove a limit
command-quota-clear-who = A member or a role (empty = everyone)
command-quota-clear-pool = Remove the shared limit instead
command-quota-grant = Give extra credits to a member or to each member with a role
command-quota-grant-who = A member or a role
command-quota-grant-amount = Extra credits until the next reset
command-quota-reset = Set usage back to 0 for a member or for each member with a role
command-quota-reset-who = A member or a role
command-quota-show = See all limits and this month's usage
command-quota-export = Get a month's usage of each member as a table
command-quota-export-months_ago = 0 = this month, 1 = last month, and so on
command-quota-report = See the last 30 days and the top members, as a chart and tables
choice-hour = hour
choice-day = day
choice-week = week
choice-month = month
option-default = default: { $value }
option-random = random
menu-remove-image = Remove image
menu-who-made-this = Who made this
