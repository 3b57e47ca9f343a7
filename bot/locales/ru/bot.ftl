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

## Refusals, shown to one person

form-outdated = ⚠️ Эта форма устарела. Нажмите «Изменить промпт» ещё раз.

invalid-option = ⚠️ Параметр { $option } { $problem }. Ничего не заказано.
problem-missing = обязателен
problem-empty = не может быть пустым
problem-not-string = должен быть текстом
problem-not-integer = должен быть целым числом
problem-not-number = должен быть числом
problem-not-boolean = может быть только True или False
problem-enum = должен быть одним из значений: { $choices }
problem-minimum = должен быть не меньше { $wanted }
problem-maximum = должен быть не больше { $wanted }
problem-exclusiveMinimum = должен быть больше { $wanted }
problem-exclusiveMaximum = должен быть меньше { $wanted }
problem-multipleOf = должен делиться на { $wanted }
problem-minLength = должен быть не короче { $wanted ->
    [one] { $wanted } символа
    [few] { $wanted } символов
    [many] { $wanted } символов
   *[other] { $wanted } символа
}
problem-maxLength = должен быть не длиннее { $wanted ->
    [one] { $wanted } символа
    [few] { $wanted } символов
    [many] { $wanted } символов
   *[other] { $wanted } символа
}
problem-const = может быть только таким: { $wanted }
problem-other = здесь не подходит
quota-exceeded = { $fits ->
    [forbidden] ⏳ Здесь ваш лимит — 0 кредитов { $per ->
        [hour] в час
        [day] в день
        [week] в неделю
       *[month] в месяц
    } (обновится { $resets }). Изменить его могут те, кто управляет сервером, командой /quota set.
   *[other] ⏳ Вы использовали { $used } из { $limit ->
        [one] { $limit } кредита
        [few] { $limit } кредитов
        [many] { $limit } кредитов
       *[other] { $limit } кредита
    } { $per ->
        [hour] за этот час
        [day] за сегодня
        [week] за эту неделю
       *[month] за этот месяц
    }, осталось { $left }; лимит обновится { $resets }. { $fits ->
        [later] Этот заказ стоит { $wanted ->
            [one] { $wanted } кредит
            [few] { $wanted } кредита
            [many] { $wanted } кредитов
           *[other] { $wanted } кредита
        }: возвращайтесь после обновления или закажите меньше изображений или меньшего размера.
        [never] Этот заказ стоит { $wanted ->
            [one] { $wanted } кредит
            [few] { $wanted } кредита
            [many] { $wanted } кредитов
           *[other] { $wanted } кредита
        }, а это больше лимита: закажите меньше изображений или меньшего размера.
       *[used-up] Этот заказ стоит { $wanted ->
            [one] { $wanted } кредит
            [few] { $wanted } кредита
            [many] { $wanted } кредитов
           *[other] { $wanted } кредита
        }: возвращайтесь после обновления.
    }
}
pool-exceeded = { $fits ->
    [forbidden] ⏳ Этому серверу разрешено 0 кредитов { $per ->
        [hour] в час
        [day] в день
        [week] в неделю
       *[month] в месяц
    } (обновится { $resets }). Изменить это могут те, кто им управляет, командой /quota pool.
   *[other] ⏳ Все участники вместе использовали { $used } из { $limit ->
        [one] { $limit } кредита
        [few] { $limit } кредитов
        [many] { $limit } кредитов
       *[other] { $limit } кредита
    } { $per ->
        [hour] за этот час
        [day] за сегодня
        [week] за эту неделю
       *[month] за этот месяц
    }, осталось { $left }; лимит обновится { $resets }. { $fits ->
        [used-up] Этот заказ стоит { $wanted ->
            [one] { $wanted } кредит
            [few] { $wanted } кредита
            [many] { $wanted } кредитов
           *[other] { $wanted } кредита
        }: возвращайтесь после обновления.
       *[other] Этот заказ стоит { $wanted ->
            [one] { $wanted } кредит
            [few] { $wanted } кредита
            [many] { $wanted } кредитов
           *[other] { $wanted } кредита
        }: закажите меньше изображений или меньшего размера или возвращайтесь после обновления.
    }
}
budget-exceeded = ⏳ Бюджет бота, общий для всех серверов, исчерпан. Его задаёт владелец бота; обновится { $resets }.
price-unknown = ⏳ RunComfy ещё не сообщил боту, сколько стоит изображение, а владелец бота задал бюджет в долларах. Ничего не списано; попробуйте через минуту.
cost-not-learned = ⚠️ RunComfy списал ${ $cost } за одно задание { $model }, хотя ожидалось не больше ${ $highest }. Сумма учтена в бюджете месяца, но не повлияет на оценку других заданий; проверьте счёт RunComfy.
price-not-believed = ⚠️ RunComfy указывает для { $model } цену ${ $price } за изображение, а такой быть не может. Я её не учитываю; проверьте страницу модели.
budget-alarm = ⚠️ Из бюджета этого месяца, ${ $budget } (BUDGET_USD), потрачено или заказано ${ $spent }. Когда он кончится, бот не будет принимать заказы до первого числа.
quota-too-high = ⚠️ Это больше, чем разрешает владелец бота: { $maximum }. Выберите лимит поменьше.
job-not-found = ⚠️ Такого заказа здесь нет. Сделайте новый командой /imagine.
job-unknown = ⚠️ Эта кнопка принадлежит другой копии бота или базе данных, которую заменили. Обратитесь к владельцу бота.
no-such-command = ⚠️ Этой команды больше нет: бот обновился. Перезапустите Discord, чтобы увидеть новые команды.
not-your-job = ⚠️ Это чужой заказ. Такое доступно только его автору и тем, кто управляет сообщениями.
not-now = ⚠️ Заказ уже в другом состоянии, поэтому кнопка ничего не делает. Посмотрите на его сообщение.
collecting-over = ⚠️ Забрать эти изображения больше нельзя. Кредиты за них возвращены; создайте их заново командой /imagine.
still-running = 🎨 Этот заказ ещё не готов. Отмените его или удалите изображения, когда все они появятся.
not-removed = ⚠️ Discord пока не даёт убрать это сообщение. Удаление записано: я попробую ещё, и ничего из этого больше не появится. Нажмите «Удалить» ещё раз или обратитесь к тем, кто управляет сообщениями.
not-an-image = ⚠️ В этом сообщении нет моих изображений. Выберите то, в котором они есть.
already-painting = 🎨 Уже рисую, остановить RunComfy нельзя. Результат появится, когда будет готов.
forbidden-here = ⚠️ Здесь вам это недоступно. Спросите тех, кто управляет сервером; они могут обратиться к владельцу бота.
missing-permissions = ⚠️ Я не могу публиковать изображения в этом канале, мне не хватает прав: { $permissions }. Попросите тех, кто управляет сервером, или выберите другой канал. Ничего не заказано.
permission-view_channel = Просматривать канал
permission-embed_links = Встраивать ссылки
permission-attach_files = Прикреплять файлы
runcomfy-down = ⚠️ RunComfy, который создаёт изображения, не отвечает. Ничего не списано; попробуйте через несколько минут.
stopping = ⚠️ Бот перезапускается. Ничего не списано; попробуйте через минуту.
busy = ⚠️ Бот занят. Ничего не списано; попробуйте через минуту.

## /jobs

jobs-waiting = { $number }. 🕒 Ожидает · заказано { $when } · [{ $prompt }]({ $link })
jobs-painting = { $number }. 🎨 Рисую · заказано { $when } · [{ $prompt }]({ $link })
jobs-fetchable = { $number }. 📦 Можно забрать · заказано { $when } · { $prompt }
jobs-none = Незавершённых заказов у вас здесь нет. Сделайте новый командой /imagine.
jobs-cancelled = ✖️ Заказ отменён. Ничего не списано.

## Deleting images, and who made them

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

## /usage and /quota

usage-line = { $period }: использовано { $used } из { $limit ->
    [one] { $limit } кредита
    [few] { $limit } кредитов
    [many] { $limit } кредитов
   *[other] { $limit } кредита
}, осталось { $left } { $bar } обновится { $resets }
usage-line-pool = Все участники вместе · { $period }: использовано { $used } из { $limit ->
    [one] { $limit } кредита
    [few] { $limit } кредитов
    [many] { $limit } кредитов
   *[other] { $limit } кредита
}, осталось { $left } { $bar } обновится { $resets }
usage-uncollected = 📦 { $images ->
    [one] Можно забрать { $images } изображение
    [few] Можно забрать { $images } изображения
    [many] Можно забрать { $images } изображений
   *[other] Можно забрать { $images } изображения
} ({ $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
}): команда /jobs.
usage-unlimited = Здесь для вас нет ограничений.
usage-by-role = Ваш лимит задаёт роль { $who }.
usage-prices = { $option }, кредитов за изображение: { $prices }
usage-price = { $value ->
    [true] +{ $credits }
   *[other] { $value } — { $credits }
}
usage-hour = За этот час
usage-day = За сегодня
usage-week = За эту неделю
usage-month = За этот месяц
quota-of = { $limit ->
    [one] { $limit } кредит
    [few] { $limit } кредита
    [many] { $limit } кредитов
   *[other] { $limit } кредита
} { $per ->
    [hour] в час
    [day] в день
    [week] в неделю
   *[month] в месяц
}
unlimited = без ограничений
quota-set-everybody = ✅ Новый лимит для всех на этом сервере: { $quota }. У ролей и участников со своим лимитом он остаётся.
quota-set-role = ✅ Новый лимит для роли { $who }: { $quota }. Другая роль или собственный лимит участника могут решать иначе.
quota-set-member = ✅ Новый лимит для { $who }: { $quota }.
quota-set-pool = ✅ Новый лимит для всех участников вместе: { $quota }.
quota-cleared-everybody = ✅ Лимита этого сервера больше нет. Действует то, что разрешает владелец бота: { $quota }.
quota-cleared-role = ✅ Лимита роли { $who } больше нет. Если у участника нет другой роли с лимитом или своего, действует общий: { $quota }.
quota-cleared-member = ✅ Своего лимита у { $who } больше нет. Если его не задаёт роль, действует общий: { $quota }.
quota-cleared-pool = ✅ Лимита для всех участников вместе больше нет. Действует то, что разрешает владелец бота: { $quota }.
quota-nothing-to-clear = Убирать было нечего. Действует: { $quota }.
quota-granted = ✅ { $who }: сверх лимита можно потратить ещё { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
} до следующего обновления.
quota-reset = ✅ { $who }: отсчёт начат заново, ничего не использовано.
quota-show-everybody = Для всех: { $quota }
quota-show-default = Для всех: { $quota } (задал владелец бота)
quota-show-pool = Для всех участников вместе: { $quota }
quota-show-target = { $who }: { $quota }
quota-show-ceiling = Больше всего, что владелец бота разрешает участнику: { $quota }.
quota-show-pool-ceiling = Больше всего, что владелец бота разрешает всем участникам вместе: { $quota }.
quota-show-more = … и ещё { $count }.

## Charts and reports

decimal-point = ,
chart-usage = Ваши кредиты
chart-report = Кредиты за { $count ->
    [one] последний { $count } день
    [few] последние { $count } дня
    [many] последние { $count } дней
   *[other] последние { $count } дня
}
chart-days = { $count ->
    [one] Последний { $count } день
    [few] Последние { $count } дня
    [many] Последние { $count } дней
   *[other] Последние { $count } дня
}
chart-day = { $day }.{ $month }
chart-left = осталось { $left }
chart-spent = потрачено
chart-failed = не удалось
chart-refunded = возвращено
chart-members = Кто потратил больше всех
alt-usage = Ваши кредиты по дням, за { $count ->
    [one] последний { $count } день
    [few] последние { $count } дня
    [many] последние { $count } дней
   *[other] последние { $count } дня
}: { $days }.
alt-report = Потрачено кредитов по дням, за { $count ->
    [one] последний { $count } день
    [few] последние { $count } дня
    [many] последние { $count } дней
   *[other] последние { $count } дня
}: { $spent }. Кто потратил больше всех: { $members }.
alt-day = { $day }: { $credits }
alt-nothing = ничего
alt-left = { $period }: использовано { $used } из { $limit }, осталось { $left }.
report-total = { $orders ->
    [one] { $orders } заказ
    [few] { $orders } заказа
    [many] { $orders } заказов
   *[other] { $orders } заказа
}, из них не удалось: { $failed } · потрачено { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
}, возвращено { $refunded } · RunComfy списал { $usd }
report-uncollected = { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
} за изображения, которые ещё можно забрать
report-member = { $who }: { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
}, { $usd } · лимит: { $quota } ({ $by })
dollars = { NUMBER($amount, minimumFractionDigits: 2, maximumFractionDigits: 2) } $
report-more = … и ещё участников: { $count }. Всех показывает /quota export.
limited-by-member = свой
limited-by-role = роль { $who }
limited-by-everybody = общий
limited-by-owner = от владельца бота

## Commands, as Discord lists them

command-jobs = Ваши незавершённые заказы и изображения, которые до вас не дошли
command-usage = Сколько кредитов вы использовали, сколько осталось и сколько стоят изображения
command-quota = Кто и сколько кредитов может потратить на этом сервере
command-quota-set = Задать лимит для всех здесь, для роли или для одного участника
command-quota-set-limit = Сколько кредитов; 0 — запретить; один кредит — одно изображение 1K
command-quota-set-per = За какое время
command-quota-set-who = Участник или роль вместо всех
command-quota-pool = Ограничить, сколько кредитов могут потратить все участники вместе
command-quota-pool-limit = Сколько кредитов; 0 — запретить; один кредит — одно изображение 1K
command-quota-pool-per = За какое время
command-quota-clear = Убрать лимиты для всех здесь, для роли, для участника или для всех вместе
command-quota-clear-who = Участник или роль вместо всех
command-quota-clear-pool = Лимит для всех участников вместе
command-quota-grant = Дать участнику или каждому с этой ролью кредиты сверх лимита
command-quota-grant-who = Участник или роль
command-quota-grant-amount = Сколько кредитов сверх нынешних лимитов
command-quota-reset = Начать отсчёт заново для участника или для каждого с этой ролью
command-quota-reset-who = Участник или роль
command-quota-show = Посмотреть все лимиты на этом сервере и кто сколько использовал за месяц
command-quota-export = Получить таблицу: сколько использовал каждый участник за месяц
command-quota-export-months_ago = 0 — этот месяц, 1 — прошлый и так далее
command-quota-report = Последние 30 дней и кто потратил больше всех: график и таблица
choice-hour = час
choice-day = день
choice-week = неделя
choice-month = месяц
menu-remove-image = Убрать изображение
menu-who-made-this = Кто это сделал
