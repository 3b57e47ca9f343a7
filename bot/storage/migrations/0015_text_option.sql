-- Models whose main text is not called prompt.

alter table jobs add column text_option text not null default 'prompt';  -- the option of `input` with the main text
