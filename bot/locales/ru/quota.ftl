## /usage and /quota

usage-line = { $period }: потрачено { $used } из { $limit ->
    [one] { $limit } кредита
    [few] { $limit } кредитов
    [many] { $limit } кредитов
   *[other] { $limit } кредита
}, осталось { $left } { $bar } обновится { $resets }
usage-line-pool = Общий лимит · { $period }: потрачено { $used } из { $limit ->
    [one] { $limit } кредита
    [few] { $limit } кредитов
    [many] { $limit } кредитов
   *[other] { $limit } кредита
}, осталось { $left } { $bar } обновится { $resets }
usage-line-zero = { $period }: ваш лимит — 0 кредитов, создавать изображения здесь нельзя.
usage-line-pool-zero = Общий лимит · { $period }: 0 кредитов, создавать изображения здесь нельзя никому.
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
}) командой /jobs.
usage-unlimited = Личного лимита у вас здесь нет.
usage-by-role = Ваш лимит задаёт роль { $who }.
usage-prices = { $option }, кредитов за изображение: { $prices }
usage-price = { $credits } ({ $value })
usage-added = { $value ->
    [true] +{ $credits }
   *[other] +{ $credits } ({ $value })
}
usage-flat = Кредитов за изображение: { $credits }
usage-hour = Этот час
usage-day = Сегодня
usage-week = Эта неделя
usage-month = Этот месяц
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
quota-set-everyone = ✅ { $lowest ->
    [0] Создавать изображения теперь нельзя ({ $quota }). Лимиты ролей и участников по-прежнему важнее.
   *[other] Лимит для всех: { $quota }. Лимиты ролей и участников по-прежнему важнее.
}
quota-set-role = ✅ { $lowest ->
    [0] Участникам с ролью { $who } теперь нельзя создавать изображения ({ $quota }). Более щедрый лимит другой роли или личный лимит участника важнее.
   *[other] Лимит роли { $who }: { $quota }. Более щедрый лимит другой роли или личный лимит участника важнее.
}
quota-set-member = ✅ { $lowest ->
    [0] { $who } теперь не может создавать изображения ({ $quota }).
   *[other] Личный лимит { $who }: { $quota }.
}
quota-set-pool = ✅ { $lowest ->
    [0] На этом сервере теперь никто не может создавать изображения (общий лимит: { $quota }).
   *[other] Общий лимит на всех участников: { $quota }.
}
quota-cleared-everyone = ✅ Лимит сервера снят. Действует лимит бота по умолчанию: { $quota }.
quota-cleared-role = ✅ Лимит роли { $who } снят. Если у участника нет лимита другой роли или личного, действует лимит для всех: { $quota }.
quota-cleared-member = ✅ Личный лимит { $who } снят. Если нет лимита роли, действует лимит для всех: { $quota }.
quota-cleared-pool = ✅ Общий лимит снят. Действует лимит бота по умолчанию: { $quota }.
quota-cleared-deleted = ✅ Сняты лимиты { $count ->
    [one] { $count } удалённой роли
    [few] { $count } удалённых ролей
    [many] { $count } удалённых ролей
   *[other] { $count } удалённой роли
}.
button-clear-deleted = 🧹 Снять лимиты удалённых ролей
quota-nothing-to-clear = Такого лимита не было. Сейчас действует: { $quota }.
quota-granted = ✅ { $who }: { $credits ->
    [one] добавлен { $credits } кредит
    [few] добавлено { $credits } кредита
    [many] добавлено { $credits } кредитов
   *[other] добавлено { $credits } кредита
} до следующего обновления лимита.
quota-reset = ✅ { $who }: расход обнулён.
quota-reset-granted = ✅ { $who }: расход обнулён и { $credits ->
    [one] добавлен { $credits } кредит
    [few] добавлено { $credits } кредита
    [many] добавлено { $credits } кредитов
   *[other] добавлено { $credits } кредита
} до следующего обновления лимита.
quota-show-everyone = Для всех: { $quota }
quota-show-default = Для всех: { $quota } (по умолчанию)
quota-show-pool = Общий лимит: { $quota }
quota-show-target = { $who }: { $quota }
quota-show-ceiling = Самый высокий лимит, который разрешает владелец бота: { $quota }
quota-show-pool-ceiling = Самый высокий общий лимит, который разрешает владелец бота: { $quota }
quota-show-deleted = Лимиты удалённых ролей (не действуют): { $count }
quota-show-more = … и ещё { $count }

## Charts and reports

decimal-point = ,
chart-usage = Ваши кредиты
chart-report = Кредиты за { $count ->
    [one] последний { $count } день
    [few] последние { $count } дня
    [many] последние { $count } дней
   *[other] последние { $count } дня
}
chart-report-month = Кредиты с { $first } по { $last }
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
chart-members = Самые активные
alt-usage = Ваши кредиты за { $count ->
    [one] последний { $count } день
    [few] последние { $count } дня
    [many] последние { $count } дней
   *[other] последние { $count } дня
}: { $days }.
alt-report = { $title }. Потрачено: { $spent }. Самые активные: { $members }.
alt-day = { $day }: { $credits }
alt-nothing = ничего
alt-left = { $period }: потрачено { $used } из { $limit }, осталось { $left }.
report-total = { $requests ->
    [one] { $requests } запрос
    [few] { $requests } запроса
    [many] { $requests } запросов
   *[other] { $requests } запроса
}, из них не удалось: { $failed } · { $credits ->
    [one] потрачен { $credits } кредит
    [few] потрачено { $credits } кредита
    [many] потрачено { $credits } кредитов
   *[other] потрачено { $credits } кредита
}, возвращено { $refunded } · стоимость { $usd }
report-uncollected = { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
} за изображения, которые ещё не забрали
report-member = { $who }: { $credits ->
    [one] { $credits } кредит
    [few] { $credits } кредита
    [many] { $credits } кредитов
   *[other] { $credits } кредита
}, { $usd } · лимит: { $quota } ({ $by })
dollars = { NUMBER($amount, minimumFractionDigits: 2, maximumFractionDigits: 2) } $
report-more = … и ещё { $count }: все в CSV из /quota report
limited-by-member = личный
limited-by-role = { $who }
limited-by-everyone = для всех
limited-by-owner = по умолчанию
