## Refusals by a server's rules, shown to one person

member-blocked = ⚠️ На этом сервере вам больше нельзя создавать изображения: так решили те, кто им управляет. Спросите их.
role-needed = ⚠️ Чтобы создавать изображения на этом сервере, нужна одна из ролей: { $roles }. Спросите тех, кто управляет сервером.
channel-forbidden = { $channels ->
    [none] ⚠️ В этом канале изображения не создаются. Перейдите в другой.
   *[other] ⚠️ В этом канале изображения не создаются. Здесь можно: { $channels }.
}
resolution-forbidden = ⚠️ На этом сервере разрешение не выше { $highest }. Выберите его или меньшее; ничего не заказано.
too-many-images = ⚠️ На этом сервере в одном заказе может быть не больше { $most ->
    [one] { $most } изображения
    [few] { $most } изображений
    [many] { $most } изображений
   *[other] { $most } изображения
}. Закажите меньше; ничего не заказано.
web-search-forbidden = ⚠️ На этом сервере поиск в интернете запрещён. Закажите без него; ничего не заказано.
safety-forbidden = ⚠️ Параметр { $option } здесь — от { $lowest } до { $highest }. Выберите такой; ничего не заказано.
words-forbidden = ⚠️ В промпте есть слова, которые на этом сервере запрещены. Выберите другие; ничего не заказано.
pattern-too-slow = ⚠️ Запрещённые слова этого сервера не удалось проверить вовремя. Ничего не заказано; исправить шаблоны в /settings могут те, кто управляет сервером, а ещё может помочь промпт покороче.
bad-pattern = ⚠️ По строке { $line } ничего нельзя найти. Ничего не изменено; исправьте её: может быть, не закрыта скобка.
too-many-words = ⚠️ Запрещённых слов слишком много. Знаков помещается: всего { $most }, в одной строке { $longest }. Ничего не изменено.
not-age-restricted = ⚠️ Канал { $channel } не отмечен в Discord как канал с возрастным ограничением, поэтому пропускать там больше, чем в других, нельзя. Ничего не изменено; сначала отметьте канал.
safety-order = ⚠️ Самый строгий допуск безопасности ({ $strictest }) оказался бы выше самого мягкого ({ $loosest }). Ничего не изменено; сначала измените другой.
no-such-zone = ⚠️ Часового пояса { $zone } нет. Ничего не изменено; пишите его, например, так: Europe/Berlin или UTC.
default-not-taken = ⚠️ Параметр { $option } не принимает такое значение. Ничего не изменено.
log-closed = ⚠️ Я не могу писать в { $channel }, мне не хватает прав: { $permissions }. Ничего не изменено; дайте мне эти права в настройках канала или выберите другой.
permission-send_messages = Отправлять сообщения
blocked-full = ⚠️ На этом сервере уже заблокировано участников: { $most }, больше нельзя. Ничего не убрано; нажмите просто «Убрать» или снимите с кого-нибудь блокировку в /settings.
setting-unknown = ⚠️ Здесь это больше нельзя настроить. Ничего не изменено; откройте /settings заново.

## /settings: current values

settings-title = Что действует на этом сервере
section-channels = Каналы
section-people = Участники
section-images = Изображения
section-safety = Безопасность
section-words = Запрещённые слова
section-results = Результаты
section-defaults = Параметры по умолчанию
section-server = Часовой пояс и журнал
setting-allowed_channels = Изображения создаются: { $value }
setting-forbidden_channels = Не создаются: { $value }
setting-allowed_roles = Могут создавать: { $value }
setting-blocked_members = Заблокированы: { $value }
setting-highest_resolution = Наибольшее разрешение: { $value }
setting-most_images = Изображений в одном заказе, не больше: { $value }
setting-may_search_web = Поиск в интернете: { $value }
setting-strictest_safety = Самый строгий допуск безопасности: { $value }
setting-loosest_safety = Самый мягкий допуск безопасности: { $value }
setting-channel_safety = Другой самый мягкий допуск: { $value }
setting-forbidden_words = Запрещено в промптах: { $value }
setting-is_spoiler = Показ изображений: { $value }
setting-is_private = Кто видит изображения: { $value }
setting-default_options = Если ничего не выбрано: { $value }
setting-timezone = Часовой пояс: { $value }
setting-log_channel = Журнал: { $value }
value-plain = { $value }
value-everywhere = везде
value-nowhere = нигде
value-everybody = все
value-nobody = никто
value-any = без ограничений
value-allowed = разрешён
value-forbidden = запрещён
value-hidden = скрыты, пока на них не нажмут
value-shown = сразу
value-private = только автор заказа
value-public = все в канале
value-as-elsewhere = как в других каналах
value-of-model = как решает модель
value-channel-safety = { $channel } — до { $level }
value-words = { $count ->
    [0] ничего
    [one] { $count } слово или шаблон
    [few] { $count } слова и шаблона
    [many] { $count } слов и шаблонов
   *[other] { $count } слова и шаблона
}
value-more = ещё { $count }

## /settings: controls and forms

placeholder-section = Какая часть настроек
placeholder-allowed_channels = Каналы, где создаются изображения; пусто — везде
placeholder-forbidden_channels = Каналы, где они не создаются
placeholder-allowed_roles = Роли, которым можно создавать; пусто — всем
placeholder-blocked_members = Участники, которым нельзя
placeholder-pick-channel = Канал с другим самым мягким допуском безопасности
placeholder-pick-option = Параметр, который нужно задать
placeholder-log_channel = Канал, где видно, кто что сделал; пусто — без журнала
offer-highest_resolution = Наибольшее разрешение: { $value }
offer-most_images = Изображений в одном заказе, не больше: { $value }
offer-may_search_web = Поиск в интернете: { $value }
offer-strictest_safety = Самый строгий допуск безопасности: { $value }
offer-loosest_safety = Самый мягкий допуск безопасности: { $value }
offer-channel_safety = Самый мягкий в { $channel }: { $value }
offer-is_spoiler = Показ изображений: { $value }
offer-is_private = Кто видит изображения: { $value }
offer-default_options = { $option }: { $value }
button-edit-forbidden_words = Изменить слова
button-edit-timezone = Сменить часовой пояс
button-edit-default_options = Задать: { $option }
modal-forbidden_words = Запрещённые слова
modal-timezone = Часовой пояс
modal-default_options = Значение по умолчанию
label-forbidden_words = Одно слово или одна фраза в строке
label-timezone = Название
label-default_options = Значение
hint-forbidden_words = Слова целиком, в любом регистре. Строка между косыми чертами — шаблон: /л[иы]с/
hint-timezone = Например, Europe/Berlin, Asia/Tokyo или UTC. По нему обновляются лимиты.
hint-default_options = Что действует, если ничего не выбрано. Пусто — как решает модель.

## The audit log

log-delivered = 🖼️ { $member }: { $images ->
    [one] { $images } изображение
    [few] { $images } изображения
    [many] { $images } изображений
   *[other] { $images } изображения
}. { $prompt } { $link }
log-cancelled = ✖️ { $by } отменяет заказ от { $member }: { $prompt }
log-deleted = 🗑️ { $by } удаляет сообщение участника { $member } с изображениями: { $prompt }
log-blocked = ⛔ { $by } блокирует участника { $member }: новых изображений от него здесь не будет
log-changed = ⚙️ { $member } меняет настройку. Было: { $before }. Стало: { $after }

## Commands, as Discord lists them

command-settings = Правила этого сервера: где, кому и что можно, и журнал всего
log-quota = 📏 { $member } о лимитах: { $change }
