// Chat formats of the model families we run, recognised from the text of the checkpoint's template.
//
// A template is a Jinja program; it is not run. Recognition looks for the marks that set a family apart, and
// what a family's members differ in (default system prompt, generation prompt, date, trimming) is read from
// the template's string literals. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace engine {

enum class ChatFormat { none, chatml, llama3, llama2, qwen3, deepseek_r1 };
const char* name_of(ChatFormat format);

// `none` for an unknown template: the caller falls back to plain completion and says so.
ChatFormat recognise_chat_format(std::string_view template_text);

struct ChatOptions {
  std::string system;  // empty: the family's own default, taken from the template where it has one
  std::optional<bool>
      thinking;       // Qwen3's switch (enable_thinking); unset is the template's default. Others have none
  std::string bos;    // what the template's bos_token stands for; empty: the family's own
  std::string today;  // "26 Jul 2024", for templates that ask for the date; empty: today, local time
};

// The prompt text of one user turn, ready for the assistant's answer, equal to the checkpoint's own template
// with add_generation_prompt=True (BOS included where the template writes it).
std::string apply_chat_format(ChatFormat format, std::string_view template_text, std::string_view user,
                              const ChatOptions& options);

}  // namespace engine
