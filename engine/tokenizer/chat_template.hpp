// Chat formats of the model families we run, recognised from the text of the checkpoint's template.
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
  std::string system;                     // empty: the family's own default, taken from the template where it has one
  std::optional<bool> thinking;           // Qwen3's switch (enable_thinking); unset is the template's default
};

// The prompt text of one user turn, ready for the assistant's answer, equal to the checkpoint's own template with
// add_generation_prompt=True (BOS included where the template writes it).
std::string apply_chat_format(ChatFormat format, std::string_view template_text, std::string_view user,
                              const ChatOptions& options);

}  // namespace engine
