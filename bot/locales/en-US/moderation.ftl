# Deleting images, and who made them

delete-ask = 🗑️ Delete { $images ->
    [one] this image
   *[other] these images
} for good? Nothing brings them back, and what they cost is not given back.
remove-ask = 🗑️ Remove this message of { $member } with its images for good? Nothing brings them back.
deleted = 🗑️ Deleted.
deleted-and-blocked = 🗑️ Deleted. { $member } makes no more images on this server; /settings lets them again.
about-made = Ordered by { $member } · { $when }
about-price = { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}
about-price-back = { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}, { $returned } of them given back
about-again = Made again from [an earlier order]({ $link })
about-again-gone = Made again from an earlier order, which was deleted
about-deleted = Deleted by { $member } · { $when }
