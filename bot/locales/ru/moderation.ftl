# Deleting images, and who made them

delete-ask = 🗑️ Удалить { $images ->
    [one] { $images } изображение
    [few] { $images } изображения
    [many] { $images } изображений
   *[other] { $images } изображения
} навсегда? Восстановить их нельзя, и потраченное на них не вернётся.
remove-ask = 🗑️ Убрать это сообщение участника { $member } вместе с изображениями навсегда? Восстановить их нельзя.
deleted = 🗑️ Удалено.
deleted-and-blocked = 🗑️ Удалено. { $member } больше не может создавать изображения на этом сервере; разрешить снова можно в /settings.
about-made = Заказ участника { $member } · { $when }
about-price = { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
}
about-price-back = { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
}, из них возвращено { $returned }
about-again = Сделано ещё раз по [прежнему заказу]({ $link })
about-again-gone = Сделано ещё раз по прежнему заказу, который удалён
about-deleted = Удалено участником { $member } · { $when }
