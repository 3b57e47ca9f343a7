# Errors and refusals, shown to one person

question-expired = ⚠️ Этот вопрос устарел. Отправьте запрос ещё раз.
form-outdated = ⚠️ Эта форма устарела. Нажмите кнопку ещё раз.

invalid-option = ⚠️ Параметр { $option } { $problem }.
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
problem-no-pictures = не принимает изображения
problem-too-many-pictures = принимает не больше { $wanted ->
    [one] { $wanted } изображения
    [few] { $wanted } изображений
    [many] { $wanted } изображений
   *[other] { $wanted } изображения
}
problem-too-few-pictures = требует не меньше { $wanted ->
    [one] { $wanted } изображения
    [few] { $wanted } изображений
    [many] { $wanted } изображений
   *[other] { $wanted } изображения
}
problem-other = здесь не подходит
pictures-too-big = ⚠️ Эти изображения занимают { $size } МБ, а принять можно до { $most } МБ. Выберите файлы поменьше или сократите их число.
not-a-picture = ⚠️ { $file } — не изображение. Прикрепите файл PNG, JPEG или WebP.
quota-exceeded = { $fits ->
    [forbidden] ⏳ Здесь вы не можете создавать изображения: ваш лимит — 0 кредитов. Изменить его может администратор сервера командой /quota set.
    [used-up] ⏳ Ваши кредиты { $per ->
        [hour] на этот час
        [day] на сегодня
        [week] на эту неделю
       *[month] на этот месяц
    } закончились: осталось 0 из { $limit ->
        [one] { $limit } кредита
        [few] { $limit } кредитов
        [many] { $limit } кредитов
       *[other] { $limit } кредита
    }. Лимит обновится { $resets }.
    [never] ⏳ Нужно { $wanted ->
        [one] { $wanted } кредит
        [few] { $wanted } кредита
        [many] { $wanted } кредитов
       *[other] { $wanted } кредита
    }, а ваш лимит — { $limit ->
        [one] { $limit } кредит
        [few] { $limit } кредита
        [many] { $limit } кредитов
       *[other] { $limit } кредита
    } { $per ->
        [hour] в час
        [day] в день
        [week] в неделю
       *[month] в месяц
    } (осталось { $left }, обновится { $resets }). Уменьшите число или размер изображений.
   *[later] ⏳ Нужно { $wanted ->
        [one] { $wanted } кредит
        [few] { $wanted } кредита
        [many] { $wanted } кредитов
       *[other] { $wanted } кредита
    }, а у вас { $per ->
        [hour] на этот час
        [day] на сегодня
        [week] на эту неделю
       *[month] на этот месяц
    } осталось { $left } из { $limit ->
        [one] { $limit } кредита
        [few] { $limit } кредитов
        [many] { $limit } кредитов
       *[other] { $limit } кредита
    }. Уменьшите число или размер изображений либо подождите: лимит обновится { $resets }.
}
pool-exceeded = { $fits ->
    [forbidden] ⏳ На этом сервере нельзя создавать изображения: общий лимит — 0 кредитов. Изменить его может администратор сервера командой /quota set.
    [used-up] ⏳ Общие кредиты сервера { $per ->
        [hour] на этот час
        [day] на сегодня
        [week] на эту неделю
       *[month] на этот месяц
    } закончились: осталось 0 из { $limit ->
        [one] { $limit } кредита
        [few] { $limit } кредитов
        [many] { $limit } кредитов
       *[other] { $limit } кредита
    }. Общий лимит обновится { $resets }.
    [never] ⏳ Нужно { $wanted ->
        [one] { $wanted } кредит
        [few] { $wanted } кредита
        [many] { $wanted } кредитов
       *[other] { $wanted } кредита
    }, а общий лимит сервера — { $limit ->
        [one] { $limit } кредит
        [few] { $limit } кредита
        [many] { $limit } кредитов
       *[other] { $limit } кредита
    } { $per ->
        [hour] в час
        [day] в день
        [week] в неделю
       *[month] в месяц
    } (осталось { $left }, обновится { $resets }). Уменьшите число или размер изображений.
   *[later] ⏳ Нужно { $wanted ->
        [one] { $wanted } кредит
        [few] { $wanted } кредита
        [many] { $wanted } кредитов
       *[other] { $wanted } кредита
    }, а у всех участников вместе { $per ->
        [hour] на этот час
        [day] на сегодня
        [week] на эту неделю
       *[month] на этот месяц
    } осталось { $left } из { $limit ->
        [one] { $limit } кредита
        [few] { $limit } кредитов
        [many] { $limit } кредитов
       *[other] { $limit } кредита
    }. Уменьшите число или размер изображений либо подождите: общий лимит обновится { $resets }.
}
budget-exceeded = ⏳ Достигнут лимит расходов, который задал владелец бота. Он обновится { $resets }.
price-unknown = ⏳ Я пока не знаю текущую цену. Попробуйте ещё раз через минуту. Кредиты не списаны.
cost-unexpected = ⚠️ RunComfy списал ${ $cost } за одно задание { $model }, хотя ожидалось не больше ${ $highest }. Сумма учтена в бюджете месяца. Проверьте счёт RunComfy и highest_multiple в файле модели.
price-not-believed = ⚠️ RunComfy указывает для { $model } цену ${ $price } за изображение. Такой она быть не может, поэтому я её не учитываю. Проверьте страницу модели.
budget-alarm = ⚠️ Потрачено ${ $spent } из месячного бюджета ${ $budget } (BUDGET_USD), включая задания в работе. Когда он закончится, я перестану создавать изображения до 1-го числа.
quota-who-together = ⚠️ Общий лимит действует на весь сервер. Укажите либо who, либо together.
quota-grants-nothing = ⚠️ Укажите amount или включите start_over.
quota-too-high = ⚠️ Самый высокий лимит, который разрешает владелец бота: { $maximum }. Выберите меньший (5 в час считаются как 120 в день).
job-not-found = ⚠️ Не могу найти этот запрос. Отправьте новый командой /imagine.
job-unknown = ⚠️ Эта кнопка больше не работает: она от другой копии бота, или данные бота заменили. Отправьте новый запрос командой /imagine или обратитесь к владельцу бота.
no-such-command = ⚠️ Этой команды больше нет: бот обновился. Перезапустите Discord, чтобы увидеть новые команды.
not-your-job = ⚠️ Это может сделать только автор запроса или модератор.
not-now = ⚠️ Эта кнопка устарела. Посмотрите на сообщение ещё раз.
collecting-over = ⚠️ Забрать эти изображения больше нельзя, кредиты возвращены. Создайте их заново командой /imagine.
still-running = 🎨 Запрос ещё в работе. Удалить изображения можно, когда он завершится.
not-removed = ⚠️ Discord сейчас не даёт удалить это сообщение. Я буду пробовать ещё; удалить его вручную может и модератор.
not-an-image = ⚠️ В этом сообщении нет моих изображений. Выберите другое.
already-generating = 🎨 Изображение уже создаётся, отменить запрос нельзя. Опубликую, когда будет готово.
forbidden-here = ⚠️ Здесь вам это недоступно. Обратитесь к администратору сервера или владельцу бота.
missing-permissions = ⚠️ Я не могу публиковать изображения в этом канале. Не хватает прав: { $permissions }. Обратитесь к администратору сервера или выберите другой канал.
permission-view_channel = Просматривать канал
permission-embed_links = Встраивать ссылки
permission-attach_files = Прикреплять файлы
model-unavailable = ⚠️ Эта модель сейчас недоступна. Попробуйте другую. Кредиты не списаны.
runcomfy-down = ⚠️ Сервис изображений не отвечает. Попробуйте ещё раз через несколько минут. Кредиты не списаны.
stopping = ⚠️ Бот перезапускается. Попробуйте ещё раз через минуту. Кредиты не списаны.
busy = ⚠️ Бот сейчас перегружен. Попробуйте ещё раз через минуту. Кредиты не списаны.
