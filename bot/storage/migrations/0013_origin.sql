-- The message that a request comes from, to be linked where Discord doesn't show it above the response.

alter table jobs add column origin text;                 -- channel_id/message_id
