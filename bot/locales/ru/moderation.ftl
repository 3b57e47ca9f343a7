# Deleting images, and who made them

delete-ask = 🗑️ Удалить { $images ->
    [one] { $images } изображение
    [few] { $images } изображения
    [many] { $images } изображений
   *[other] { $images } изображения
}? Это нельзя отменить, и кредиты не вернутся.
remove-ask = 🗑️ Убрать сообщение участника { $member } вместе с изображениями? Это нельзя отменить.
deleted = 🗑️ Удалено.
deleted-and-blocked = 🗑️ Удалено. { $member } больше не может создавать изображения на этом сервере. Снять блокировку может администратор сервера в /settings.
about-made = Запрос участника { $member } · { $when }
about-price = { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
}
about-price-refunded = { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
} (возвращено { $returned })
about-again = На основе [прежнего запроса]({ $link })
about-again-gone = На основе прежнего запроса, который удалён
about-deleted = Удалено участником { $member } · { $when }
