# Deleting images, and Info about them

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
about-prompt-hidden = Only its author can see this prompt.
about-deleted = Deleted by { $member } · { $when }
info-options = Options
info-model = Model
info-cost = Cost
cost-refunded = { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
} ({ $returned } refunded)
info-time = Time
info-times = { $queued } in queue, { $generating } generating, { $total } in total
info-pictures = Pictures used
info-originals = Originals
file-size = { $format }, { $size } MB
originals-until = kept until { $when }
originals-gone = no longer kept
info-parent = Based on
info-parent-link = [an earlier request]({ $link })
info-parent-gone = an earlier request that was deleted
