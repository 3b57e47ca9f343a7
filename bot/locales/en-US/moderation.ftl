# Deleting images, and who made them

delete-ask = 🗑️ Delete { $images ->
    [one] this image
   *[other] these images
}? This can't be undone, and you won't get your credits back.
remove-ask = 🗑️ Remove { $member }'s message and its images? This can't be undone.
deleted = 🗑️ Deleted.
deleted-and-blocked = 🗑️ Deleted. { $member } can't generate images on this server anymore. A server manager can unblock them in /settings.
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
