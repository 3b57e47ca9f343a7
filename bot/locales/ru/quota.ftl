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
