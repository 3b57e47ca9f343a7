# Formal «вы», short, no exclamation marks. [one] includes 21, so it needs the number too.

## Messages of jobs

status-waiting = 🕒 Ожидает · заказано { $since }
status-in-queue = 🕒 { $place ->
    [0] В очереди
   *[other] В очереди, место { $place }
} · заказано { $since }
status-held-up = 🕒 RunComfy не отвечает. Заказ ждёт и продолжится сам · заказано { $since }
status-painting = 🎨 Рисую · начато { $since }
status-painting-usually = 🎨 Рисую · начато { $since } (обычно около { $usual })
roughly-seconds = { $count } с
roughly-minutes = { $count } мин
status-succeeded = ✅ { $images ->
    [one] { $images } изображение
    [few] { $images } изображения
    [many] { $images } изображений
   *[other] { $images } изображения
} за { $seconds } с
status-fetched = ✅ { $images ->
    [one] { $images } изображение получено
    [few] { $images } изображения получены
    [many] { $images } изображений получено
   *[other] { $images } изображения получено
}
status-cancelled = ✖️ { $by ->
    [nobody] Заказ отменён до начала работы.
   *[other] Заказ отменён участником { $by } до начала работы.
} Ничего не списано.
nothing-charged = Ничего не списано.
images-given-back = Пришло изображений: { $delivered } из { $ordered }. { $missing ->
    [one] За { $missing } недостающее
    [few] За { $missing } недостающих
    [many] За { $missing } недостающих
   *[other] За { $missing } недостающего
} списание отменено.
images-uncollected = Пришло изображений: { $delivered } из { $ordered }. Можно забрать ещё { $missing }: нажмите «Забрать изображения», чтобы попробовать снова.
images-not-made = Не получилось изображений: { $missing }. Кредиты возвращены.
may-be-collected = Возможно, изображения всё же готовы: нажмите «Забрать изображения», чтобы проверить.
file-made-smaller = Изображение { $number } показано как { $format }, { $width }×{ $height }, { $size } МБ: в исходном { $original } было { $originalsize } МБ, а сюда помещается { $limit } МБ.
sent-directly = Ваши изображения (сообщение с заказом больше недоступно):
told-directly = Вот чем закончился ваш заказ (его сообщение больше недоступно):
words-refused = (Эти слова не показаны: их не пропускает AutoMod этого сервера.)
cut-prompt = Промпт целиком — в файле prompt.txt.
asked-by = заказ от { $member }
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

button-cancel = Отменить
button-reroll = Ещё вариант · { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
}
button-retry = Повторить · { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
}
button-edit = Изменить промпт
button-fetch = Забрать изображения
button-delete = Удалить
button-confirm = Удалить
button-keep = Оставить
button-remove = Убрать
button-block = Убрать и заблокировать автора
numbered-cancel = Отменить { $number }
numbered-fetch = Забрать { $number }

## Failures, shown in the job's message

prompt-refused = ⚠️ Сервис отклонил этот промпт или его параметры. Нажмите «Изменить промпт», чтобы их исправить.
runcomfy-unavailable = ⚠️ RunComfy не отвечает. Попробуйте ещё раз через несколько минут.
submission-unknown = ⚠️ Неизвестно, принял ли RunComfy заказ, поэтому второй раз он не отправлен. Нажмите «Повторить», чтобы заказать заново.
request-not-found = ⚠️ RunComfy больше не знает об этом заказе. Нажмите «Повторить», чтобы заказать заново.
generation-failed = ⚠️ Создать изображение не удалось. Нажмите «Повторить» или «Изменить промпт».
generation-timeout = ⚠️ Создание затянулось, и я больше не жду. Позже я проверю ещё раз; чтобы проверить сейчас, нажмите «Забрать изображения».
output-unavailable = ⚠️ Изображения готовы, но скачать их не удалось. Они ждут вас: нажмите «Забрать изображения», чтобы попробовать ещё раз.
delivery-failed = ⚠️ Изображения готовы, но опубликовать их не удалось. Они ждут вас: нажмите «Забрать изображения».
not-collected = ⚠️ Эти изображения не дошли, и забрать их больше нельзя. Нажмите «Повторить», чтобы создать их заново.
operator = ⚠️ Сейчас бот не может рисовать. Исправить это может его владелец: причина записана в журнале.
unexpected = ⚠️ Что-то пошло не так (код { $reference }). Попробуйте ещё раз; если не поможет, сообщите этот код владельцу бота.

## The form of Edit prompt

modal-edit = Изменить промпт
hint-prompt-hidden = Исходный промпт видит только его автор.
hint-prompt-cut = Поместились первые { NUMBER($most) } символов из { NUMBER($length) }. Для длинного промпта есть команда.

## /jobs

jobs-waiting = { $number }. 🕒 Ожидает · заказано { $when } · [{ $prompt }]({ $link })
jobs-painting = { $number }. 🎨 Рисую · заказано { $when } · [{ $prompt }]({ $link })
jobs-fetchable = { $number }. 📦 Можно забрать · заказано { $when } · { $prompt }
jobs-none = Незавершённых заказов у вас здесь нет. Сделайте новый командой /imagine.
jobs-cancelled = ✖️ Заказ отменён. Ничего не списано.
