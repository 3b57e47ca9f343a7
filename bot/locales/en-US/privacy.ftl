## /privacy

command-privacy = See, export or delete what I store about you
button-export = Export
button-erase = Delete my data
privacy-stored = What I store about you, from all servers
privacy-nothing = Nothing yet.
privacy-texts = 📝 { $count ->
    [one] 1 request
   *[other] { $count } requests
} with prompt and options
privacy-pictures = 🖼️ { $count ->
    [one] 1 picture
   *[other] { $count } pictures
} that you used in requests
privacy-originals = 💾 { $count ->
    [one] 1 original image, kept until { $until }
   *[other] { $count } original images, the last kept until { $until }
}
privacy-uncollected = 📥 { $count ->
    [one] 1 image that hasn't arrived yet
   *[other] { $count } images that haven't arrived yet
}
privacy-messages = 💬 { $count ->
    [one] 1 message that I can delete
   *[other] { $count } messages that I can delete
}
privacy-numbers = 🔢 { $count ->
    [one] 1 request
   *[other] { $count } requests
} without text: only IDs, times, credits and cost
privacy-erasing = ⏳ { $count ->
    [one] 1 request is being deleted.
   *[other] { $count } requests are being deleted.
} Those in progress follow when they're done.
privacy-how-long = For how long
privacy-prompts-kept = { $days ->
    [0] Prompts and options: until you delete them
    [one] Prompts and options: 1 day after a request is done
   *[other] Prompts and options: { $days } days after a request is done
}
privacy-files-kept = Pictures and originals: { $days ->
    [one] 1 day
   *[other] { $days } days
} · images that didn't arrive: { $collect ->
    [one] 1 day
   *[other] { $collect } days
}
privacy-numbers-kept = Your ID with times, credits and cost: until you delete your data, then up to { $days } more days
privacy-elsewhere = Also
privacy-elsewhere-explained = Server managers can set limits, extra credits and blocks for you, and a log channel can show your requests. Prompts and pictures are sent to the image service.
privacy-not-stored = What I don't store
privacy-not-stored-explained = Your name, your other messages, and pictures' metadata, such as where a photo was taken.
privacy-exported = 📦 Everything I store about you is in this file. Only you can see it.
privacy-left-out = { $count ->
    [one] 1 request or file didn't fit into Discord's limit of { $most } MB and is
   *[other] { $count } requests or files didn't fit into Discord's limit of { $most } MB and are
} only listed. Press Download under an image to get its original, or ask the bot's owner.
erase-goes = I'll delete everything about { $requests ->
    [one] your request
   *[other] your { $requests } requests
} on all servers: prompts and options, { $files ->
    [one] 1 picture or image that I keep
   *[other] { $files } pictures and images that I keep
}, and { $messages ->
    [one] 1 message with its images
   *[other] { $messages } messages with their images
}. Requests in progress are deleted when they're done.
erase-warning = **This can't be undone, and you won't get your credits back.**
erase-stays = What stays: your ID with times, credits and cost, so that limits stay in force, for { $days } days after each request. Blocks, limits and extra credits stay too, and so do other people's requests that use your images.
