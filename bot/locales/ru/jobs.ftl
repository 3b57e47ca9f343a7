# Formal «вы», short, no exclamation marks. [one] includes 21, so it needs the number too.
# request запрос · generate создавать · credits кредиты · limit лимит · shared limit общий лимит
# spending limit лимит расходов · image service сервис изображений · owner владелец бота
# server managers администраторы сервера · refunded возвращены · You weren't charged. Кредиты не списаны.

## Messages of jobs

status-waiting = 🕒 Ожидает запуска · { $since }
status-in-queue = 🕒 { $place ->
    [0] В очереди
   *[other] В очереди, № { $place }
} · { $since }
status-service-down = 🕒 Сервис изображений не отвечает. Запрос сохранён и продолжится автоматически · { $since }
status-paused = ⏸️ Владелец бота приостановил создание изображений. Запрос сохранён и продолжится автоматически · { $since }
status-generating = 🎨 Создаю · начато { $since }
status-generating-usually = 🎨 Создаю · начато { $since } (обычно около { $usual })
roughly-seconds = { $count } с
roughly-minutes = { $count } мин
status-collected = получено позже
image-place = ({ $number } из { $count })
status-canceled = ✖️ { $by ->
    [none] Запрос отменён.
   *[other] Запрос отменён участником { $by }.
} Кредиты не списаны.
not-charged = Кредиты не списаны.
images-refunded = Получено изображений: { $delivered } из { $total }. Возвращены кредиты за { $missing ->
    [one] { $missing } изображение.
    [few] { $missing } изображения.
    [many] { $missing } изображений.
   *[other] { $missing } изображения.
}
images-uncollected = Получено изображений: { $delivered } из { $total }. Нажмите «Забрать изображения», чтобы получить ещё { $missing }.
images-not-made = Не удалось создать { $missing ->
    [one] { $missing } изображение
    [few] { $missing } изображения
    [many] { $missing } изображений
   *[other] { $missing } изображения
}, кредиты возвращены.
may-be-collected = Возможно, изображения уже готовы. Нажмите «Забрать изображения», чтобы проверить.
file-compressed = Изображение { $number } сжато до { $format } ({ $width }×{ $height }, { $size } МБ). Исходный { $original } занимает { $originalsize } МБ, а на этом сервере можно отправить до { $limit } МБ.
sent-directly = Не удалось опубликовать изображения в канале, поэтому отправляю их сюда:
notified-directly = Новости о вашем запросе (его сообщение недоступно):
alt-before = До
alt-after = После: { $prompt }
prompt-removed = (Промпт больше не хранится)
prompt-hidden = (Промпт скрыт AutoMod)
cut-prompt = Полный промпт — в файле prompt.txt.
requested-by = от { $member }
cost = { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
}
credits-left = осталось { $left } { $per ->
    [hour] на этот час
    [day] на сегодня
    [week] на эту неделю
   *[month] на этот месяц
}
origin = из [прежнего запроса]({ $link })
seed = сид { $seed }
option-value = { $option }: { $value }
option-on = { $option }: да
option-off = { $option }: нет
images = { $count ->
    [one] { $count } изображение
    [few] { $count } изображения
    [many] { $count } изображений
   *[other] { $count } изображения
}
from-pictures = из { $count ->
    [one] { $count } изображения
    [few] { $count } изображений
    [many] { $count } изображений
   *[other] { $count } изображения
}
confirm-cost = Этот запрос стоит { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
}, а у вас { $per ->
    [hour] на этот час
    [day] на сегодня
    [week] на эту неделю
   *[month] на этот месяц
} осталось { $left }. Создать?

button-generate = Создать
button-dismiss = Отмена
button-cancel = Отменить
button-reroll = Ещё вариант
button-retry = Повторить
button-edit-prompt = Изменить промпт
button-remix = Ремикс
button-edit = Изменить
button-edit-message = Изменить изображение
button-vary = Вариация
button-upscale = Увеличить
button-upscale-to = Увеличить до { $resolution }
button-info = Сведения
button-download = Скачать
button-collect = Забрать изображения
button-delete = Удалить
button-unblock = Снять блокировку
button-refresh = Обновить
numbered-cancel = Отменить { $number }
numbered-collect = Забрать { $number }

## Failures, shown in the job's message

prompt-refused = ⚠️ Сервис изображений отклонил промпт: скорее всего, сработал фильтр безопасности. Нажмите «Изменить промпт», чтобы переформулировать.
prompt-or-picture-refused = ⚠️ Сервис изображений отклонил промпт или исходное изображение: скорее всего, сработал фильтр безопасности. Нажмите «Изменить промпт», чтобы переформулировать, или начните заново с другим изображением.
picture-refused = ⚠️ Сервис изображений отклонил запрос: скорее всего, сработал фильтр безопасности. Нажмите «Ещё вариант», чтобы попробовать снова.
picture-failed = ⚠️ Не удалось создать изображение. Нажмите «Повторить», чтобы попробовать снова.
runcomfy-unavailable = ⚠️ Сервис изображений не отвечает. Попробуйте ещё раз через несколько минут.
submission-unknown = ⚠️ Связь прервалась до того, как запрос был подтверждён. Нажмите «Повторить», чтобы попробовать ещё раз.
input-unavailable = ⚠️ Не удалось загрузить исходное изображение. Нажмите «Повторить», чтобы попробовать ещё раз.
input-gone = ⚠️ Исходное изображение больше недоступно. Отправьте новый запрос и приложите его ещё раз.
input-empty = ⚠️ Приложенное изображение — пустой файл (0 байт). Отправьте новый запрос и приложите его ещё раз или выберите другой файл.
input-too-large = ⚠️ Приложенное изображение слишком большое. Отправьте новый запрос с файлом до 20 МБ.
input-not-a-picture = ⚠️ Не удалось открыть исходное изображение. Отправьте новый запрос с файлом PNG, JPEG или GIF до 64 мегапикселей либо WebP до 24.
request-not-found = ⚠️ Срок этого запроса истёк. Нажмите «Повторить», чтобы начать заново.
generation-failed = ⚠️ Не удалось создать изображение. Нажмите «Повторить» или «Изменить промпт».
generation-timeout = ⚠️ Это заняло слишком много времени, и я больше не жду. Позже проверю ещё раз; чтобы проверить сейчас, нажмите «Забрать изображения».
output-unavailable = ⚠️ Изображения готовы, но скачать их не удалось. Нажмите «Забрать изображения», чтобы попробовать ещё раз.
delivery-failed = ⚠️ Изображения готовы, но опубликовать их не удалось. Нажмите «Забрать изображения», чтобы попробовать ещё раз.
not-collected = ⚠️ Эти изображения не дошли, и забрать их больше нельзя. Нажмите «Повторить», чтобы создать их заново.
operator = ⚠️ Сейчас я не могу создавать изображения. Исправить это может владелец бота (подробности — в журнале бота).
unexpected = ⚠️ Что-то пошло не так (код { $reference }). Попробуйте ещё раз, а если не поможет, отправьте этот код владельцу бота.

## The form of Remix and Edit prompt

hint-prompt-hidden = Исходный промпт видит только его автор.
hint-preset = Оставьте пустым, чтобы сохранить указание.
hint-price = { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
} за изображение
hint-prompt-cut = Поместились первые { NUMBER($most) } символов из { NUMBER($length) }. Для длинных промптов есть команда.

## The forms of Edit, Vary and Upscale

label-instruction = Что изменить?
placeholder-instruction = Например: сделай ночь
label-strength = Насколько сильно изменить?
choose-subtle = Немного: только мелкие детали
choose-strong = Сильно: композиция и детали
label-image = Изображение
choose-image = Изображение { $number }
label-file = Изображение (у меня его больше нет)

## What people see instead of a fixed prompt

preset-vary-subtle = Небольшая вариация
preset-vary-strong = Сильная вариация
preset-upscale = Увеличено до { $resolution }

## /jobs

jobs-waiting = { $number }. 🕒 { $place ->
    [0] В очереди
   *[other] В очереди, № { $place }
} · { $when } · [{ $prompt }]({ $link })
jobs-generating = { $number }. 🎨 Создаю · { $when } · [{ $prompt }]({ $link })
jobs-uncollected = { $number }. 📦 Можно забрать · { $when } · { $prompt }
jobs-none = Здесь у вас нет запросов в работе. Начните с команды /imagine.
jobs-canceled = ✖️ Запрос отменён. Кредиты не списаны.
