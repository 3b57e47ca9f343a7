# Deleting images, and Info about them

modal-delete = Удалить { $images ->
    [1] изображение
    [one] { $images } изображение
    [few] { $images } изображения
    [many] { $images } изображений
   *[other] { $images } изображения
}?
modal-remove = Убрать сообщение?
delete-warning = Это нельзя отменить, и кредиты не вернутся.
remove-warning = Сообщение участника { $member } исчезнет вместе с изображениями. Это нельзя отменить.
label-remove = Что сделать
choose-remove = Убрать сообщение
choose-block = Убрать и заблокировать автора
deleted = 🗑️ Удалено.
deleted-and-blocked = 🗑️ Удалено. { $member } больше не может создавать изображения на этом сервере. Чтобы снова разрешить, нажмите «Снять блокировку» или откройте меню участника и выберите «Приложения» → «Вернуть доступ к боту».
blocked-only = ⚠️ { $member } больше не может создавать изображения на этом сервере, но Discord сейчас не даёт удалить это сообщение. Я буду пробовать ещё; его можно удалить и вручную.
unblocked = ✅ { $member } снова может создавать изображения.
not-blocked = ⚠️ { $member } не в списке заблокированных.
manager-block = ⚠️ { $member } заблокирован в /settings. Снять блокировку может администратор сервера.
about-made = Запрос участника { $member } · { $when }
about-prompt-hidden = Этот промпт видит только его автор.
about-deleted = Удалено участником { $member } · { $when }
info-options = Параметры
info-model = Модель
info-cost = Стоимость
cost-refunded = { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
} (возвращено { $returned })
info-time = Время
info-times = { $queued } в очереди, { $generating } на создание, всего { $total }
info-pictures = Исходных изображений
info-originals = Оригиналы
file-size = { $format }, { $size } МБ
originals-until = хранятся до { $when }
originals-gone = больше не хранятся
info-parent = На основе
info-parent-link = [прежнего запроса]({ $link })
info-parent-gone = прежнего запроса, который удалён
