## Refusals by a server's rules, shown to one person

member-blocked = ⚠️ Вам запретили создавать изображения на этом сервере. Если это ошибка, обратитесь к { $by ->
    [moderator] модератору
   *[other] администратору сервера
}.
role-needed = ⚠️ Чтобы создавать изображения здесь, нужна одна из ролей: { $roles }. Обратитесь к администратору сервера.
channel-forbidden = { $channels ->
    [none] ⚠️ В этом канале создавать изображения нельзя. Попробуйте другой.
   *[other] ⚠️ В этом канале создавать изображения нельзя. Попробуйте { $channels }.
}
model-forbidden = ⚠️ Команда { $command } на этом сервере выключена. Попробуйте другую.
model-role-needed = ⚠️ Чтобы использовать { $command }, нужна одна из ролей: { $roles }. Обратитесь к администратору сервера.
pictures-forbidden = ⚠️ Изменять изображения и прикладывать свои на этом сервере нельзя. Попробуйте /imagine.
picture-role-needed = ⚠️ Чтобы изменять изображения и прикладывать свои, нужна одна из ролей: { $roles }. Обратитесь к администратору сервера.
resolution-forbidden = ⚠️ Максимальное разрешение на этом сервере — { $highest }. Выберите его или меньшее.
too-many-images = ⚠️ На этом сервере в одном запросе может быть не больше { $most ->
    [one] { $most } изображения
    [few] { $most } изображений
    [many] { $most } изображений
   *[other] { $most } изображения
}.
web-search-forbidden = ⚠️ Поиск в интернете на этом сервере запрещён. Попробуйте без него.
safety-forbidden = ⚠️ На этом сервере параметр { $option } может быть от { $lowest } до { $highest }.
words-forbidden = ⚠️ В промпте есть запрещённое слово. Измените промпт и попробуйте ещё раз.
pattern-too-slow = ⚠️ Один из шаблонов запрещённых слов на этом сервере слишком медленный. Сократите промпт или попросите администратора сервера упростить шаблон в /settings.
bad-pattern = ⚠️ В строке { $line } неверное регулярное выражение (возможно, не закрыта скобка).
too-many-words = ⚠️ Слишком длинно: не больше { $most } символов всего и { $longest } в строке.
not-a-channel = ⚠️ Выберите каналы этого сервера, а не категории или ветки.
not-age-restricted = ⚠️ У канала { $channel } нет возрастного ограничения в Discord, поэтому он не может быть мягче остального сервера.
safety-range = ⚠️ Самый строгий допуск безопасности ({ $strictest }) не может быть выше самого мягкого ({ $loosest }). Сначала измените другой.
no-such-zone = ⚠️ Часовой пояс «{ $zone }» не найден. Укажите ближайший крупный город, например Москва, или смещение, например UTC+3.
safety-no-effect = ⚠️ Это ничего не изменит: в { $channel } и так можно до { $level }, как на всём сервере.
block-no-effect = ⚠️ Запрещать { $channels } бесполезно: я и так работаю только в разрешённых каналах.
allow-no-effect = ⚠️ Разрешать { $channels } бесполезно: запрет важнее. Сначала снимите запрет.
default-not-taken = ⚠️ Параметр { $option } не принимает такое значение.
log-closed = ⚠️ Я не могу писать в { $channel }. Не хватает прав: { $permissions }. Добавьте их в настройках канала или выберите другой канал.
permission-send_messages = Отправлять сообщения
blocked-full = ⚠️ На этом сервере уже заблокировано участников: { $most }, это максимум, поэтому сообщение не убрано. Уберите только сообщение или попросите администратора сервера снять с кого-нибудь блокировку в /settings.
draft-lost = ⚠️ У меня больше нет введённого текста. Заполните форму ещё раз.
setting-unknown = ⚠️ Эта панель устарела. Откройте /settings ещё раз.

## /settings: current values

settings-title = Настройки сервера: { $section }
settings-footer = { $count ->
    [0] Всё по умолчанию
    [one] Изменена { $count } настройка
    [few] Изменены { $count } настройки
    [many] Изменено { $count } настроек
   *[other] Изменено { $count } настройки
} · на сервере { $time }
settings-refused = { $problem } Ничего не сохранено.
changed-section = { $section } · изменено: { $count }
section-channels = Каналы
section-people = Участники
section-images = Изображения
section-models = Модели
section-pictures = Исходные изображения
section-safety = Безопасность
section-words = Запрещённые слова
section-results = Результаты
section-defaults = Параметры по умолчанию
section-server = Время и журнал
setting-allowed_channels = Разрешённые каналы: { $value }
setting-forbidden_channels = Запрещённые каналы: { $value }
setting-allowed_roles = Разрешённые роли: { $value }
setting-blocked_members = Заблокированные участники: { $value }
setting-highest_resolution = Максимальное разрешение: { $value }
setting-most_images = Максимум изображений в запросе: { $value }
setting-may_search_web = Поиск в интернете: { $value }
setting-forbidden_models = Выключены: { $value }
setting-model_roles = Модели для отдельных ролей: { $value }
setting-may_use_pictures = Изменять изображения и прикладывать свои: { $value }
setting-picture_roles = Роли, которым это доступно: { $value }
setting-strictest_safety = Самый строгий допуск безопасности: { $value }
setting-loosest_safety = Самый мягкий допуск безопасности: { $value }
setting-channel_safety = Исключения для каналов: { $value }
setting-no-effect = ⚠️ Исключение не действует в { $channels }: там как на всём сервере.
setting-forbidden_words = Запрещённые слова: { $value }
setting-is_spoiler = Спойлеры: { $value }
setting-is_private = Изображения видят: { $value }
setting-default_options = Параметры по умолчанию: { $value }
setting-timezone = Часовой пояс: { $value }
setting-log_channel = Журнал: { $value }
value-plain = { $value }
value-all = все
value-none = нет
value-on = вкл.
value-off = выкл.
value-option = `{ $option }` { $value }
value-any = без ограничений
value-allowed = разрешён
value-forbidden = запрещён
value-pictures-allowed = можно
value-pictures-forbidden = нельзя
value-model-roles = { $model } для { $roles }
value-hidden = вкл. (изображения скрыты до нажатия)
value-private = только автор запроса
value-public = все в канале
value-as-elsewhere = как на всём сервере
value-of-model = как в модели
value-channel-safety = { $channel } до { $level }
value-words = { $count ->
    [0] нет
    [one] { $count } слово или шаблон
    [few] { $count } слова или шаблона
    [many] { $count } слов или шаблонов
   *[other] { $count } слова или шаблона
}
value-more = ещё { $count }

## /settings: controls and forms

placeholder-section = Выберите раздел
placeholder-allowed_channels = Разрешённые каналы (пусто — все)
placeholder-forbidden_channels = Запрещённые каналы
placeholder-allowed_roles = Разрешённые роли (пусто — все)
placeholder-blocked_members = Заблокированные участники
placeholder-pick-channel = Исключение: выберите канал
placeholder-pick-option = Выберите параметр
placeholder-pick-model = Для ролей: выберите модель
placeholder-forbidden_models = Выключить модели (пусто — нет)
placeholder-model_roles = Её роли (пусто — для всех)
placeholder-picture_roles = Роли с доступом (пусто — все)
placeholder-log_channel = Журнал (пусто — выкл.)
offer-highest_resolution = Макс. разрешение: { $value }
offer-most_images = Макс. изображений: { $value }
offer-may_search_web = Поиск в интернете: { $value }
offer-may_use_pictures = Исходные изображения: { $value }
offer-strictest_safety = Не строже: { $value }
offer-loosest_safety = Не мягче: { $value }
offer-channel_safety = { $channel }, не мягче: { $value }
offer-is_spoiler = Спойлеры: { $value }
offer-is_private = Изображения видят: { $value }
offer-default_options = { $option }: { $value }
button-reopen = Изменить
button-edit-forbidden_words = Изменить слова
button-edit-timezone = Изменить часовой пояс
button-edit-default_options = Задать: { $option }
modal-forbidden_words = Запрещённые слова
modal-timezone = Часовой пояс
modal-default_options = Значение по умолчанию
label-forbidden_words = По одному слову или фразе в строке
label-timezone = Часовой пояс
label-default_options = Значение
hint-forbidden_words = Слова целиком, регистр не важен. Между /…/ — регулярное выражение: /л[иы]с/
hint-timezone = Город или смещение, например Москва или UTC+3. Лимиты обновляются там в полночь.
hint-default_options = Если значение не указано. Оставьте пустым, чтобы выбирала модель.

## The audit log

log-delivered = 🖼️ { $member }: { $images ->
    [one] создано { $images } изображение
    [few] создано { $images } изображения
    [many] создано { $images } изображений
   *[other] создано { $images } изображения
}. { $prompt } { $link }
log-canceled = ✖️ { $by } отменяет запрос участника { $member }: { $prompt }
log-deleted = 🗑️ { $by } удаляет изображения участника { $member }: { $prompt }
log-blocked = ⛔ { $by } блокирует участника { $member }
log-unblocked = ✅ { $by } снимает блокировку с участника { $member }
log-changed = ⚙️ { $member } меняет настройку. { $before } → { $after }
log-quota = 📏 { $member }, /quota: { $change }

## Commands, as Discord lists them

command-settings = Настроить бота: каналы, роли, безопасность, журнал
