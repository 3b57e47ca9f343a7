# Deleting images, and who made them

modal-delete = Delete { $images ->
    [one] this image
   *[other] these images
}?
modal-remove = Remove this message?
delete-warning = This can't be undone, and you won't get your credits back.
remove-warning = { $member }'s message and its images will be gone. This can't be undone.
label-remove = What to do
choose-remove = Remove the message
choose-block = Remove it and block this member
deleted = 🗑️ Deleted.
deleted-and-blocked = 🗑️ Deleted. { $member } can't generate images on this server anymore. To undo this, press Undo block, or right-click or long-press their name and choose Apps > Unblock from images.
blocked-only = ⚠️ { $member } can't generate images on this server anymore, but Discord won't let me delete that message right now. I'll keep trying; you can also delete it by hand.
unblocked = ✅ { $member } can generate images again.
not-blocked = ⚠️ { $member } isn't blocked.
manager-block = ⚠️ { $member } was blocked in /settings. Ask a server manager to unblock them there.
about-made = Requested by { $member } · { $when }
about-price = { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}
about-price-refunded = { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
} ({ $returned } refunded)
about-again = Based on [an earlier request]({ $link })
about-again-gone = Based on an earlier request that was deleted
about-deleted = Deleted by { $member } · { $when }
