#include "engine/tokenizer/chat_template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <initializer_list>

#include "engine/tokenizer/template_text.hpp"

namespace engine {

namespace {

constexpr std::string_view kChatMlTurn = "<|im_start|>";
constexpr std::string_view kChatMlEnd = "<|im_end|>";
constexpr std::string_view kChatMlSystem = "<|im_start|>system\n";
constexpr std::string_view kChatMlAnswer = "<|im_start|>assistant\n";
constexpr std::string_view kNoThoughts = "<think>\n\n</think>\n\n";
constexpr std::string_view kDeepSeekAnswer = "<｜Assistant｜>";

bool is_llama3(const TemplateText& text) {
  return text.has_literal("<|start_header_id|>") && text.has_literal("<|end_header_id|>") &&
         text.has_literal("<|eot_id|>") && text.has_code("'<|start_header_id|>'+message");
}

// ChatML in general: every message is written as role, newline, content; the answer's opening is one literal.
bool is_chatml(const TemplateText& text) {
  const bool generic_turns =
      text.has_code("'<|im_start|>'+message") || text.has_code("'<|im_start|>'}}{{message");
  // SmolLM3 writes metadata of its own into the system turn.
  if (text.has_literal("Reasoning Mode")) return false;
  return generic_turns && text.has_literal(kChatMlEnd) && text.last_starting(kChatMlAnswer) != nullptr;
}

bool is_deepseek_r1(const TemplateText& text) {
  // Later members choose by a variable whether the answer starts with a thought.
  return text.has_literal("<｜User｜>") && text.has_literal(kDeepSeekAnswer) &&
         !text.has_code("ifthinking") && !text.has_code("ifnotthinking");
}

bool is_llama2(const TemplateText& text) {
  return text.has_code("'[INST] '+content") && text.has_literal("<<SYS>>\n") &&
         text.has_literal("\n<</SYS>>\n\n");
}

bool has_any(const TemplateText& text, std::initializer_list<std::string_view> marks) {
  return std::any_of(marks.begin(), marks.end(), [&](std::string_view mark) { return text.has_code(mark); });
}

// Whether messages are stripped of white space at their ends.
bool trims_messages(const TemplateText& text) {
  return has_any(text, {"message['content']|trim", "message.content|trim", "message['content'].strip()",
                        "message.content.strip()", "+content|trim", "+content.strip()"});
}

// The system prompt is one of the messages, or handled on its own as the first.
bool trims_system(const TemplateText& text) {
  return trims_messages(text) || has_any(text, {"messages[0]['content']|trim", "messages[0].content|trim"});
}

// The literal that opens the answer: the prefix, or with more after it, such as a thought.
std::string answer_opening(const TemplateText& text, std::string_view prefix) {
  const std::string* literal = text.last_starting(prefix);
  return literal == nullptr ? std::string(prefix) : *literal;
}

std::string_view strip_if(bool wanted, std::string_view text) {
  return wanted ? strip(text) : text;
}

std::string bos_or(const ChatOptions& options, std::string_view family_default) {
  return options.bos.empty() ? std::string(family_default) : options.bos;
}

// As strftime("%d %b %Y") in the C locale.
std::string format_today() {
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{:02} {} {}", local.tm_mday, kMonths[static_cast<std::size_t>(local.tm_mon)],
                     local.tm_year + 1900);
}

// The literal that a template writes as system prompt when the conversation brings none.
std::string_view chatml_default_system(const TemplateText& text) {
  for (const std::string& literal : text.literals) {
    if (!literal.starts_with(kChatMlSystem)) continue;
    const std::string_view rest = std::string_view(literal).substr(kChatMlSystem.size());
    const std::size_t end = rest.find(kChatMlEnd);
    if (end != std::string_view::npos && end > 0) return rest.substr(0, end);
  }
  return {};
}

std::string chatml_turn(std::string_view role, std::string_view content) {
  std::string turn(kChatMlTurn);
  return turn.append(role).append("\n").append(content).append(kChatMlEnd).append("\n");
}

std::string render_chatml(const TemplateText& text, std::string_view user, const ChatOptions& options) {
  std::string prompt;
  if (text.has_code("{{bos_token") || text.has_code("{{-bos_token")) prompt += options.bos;
  const std::string_view fallback = chatml_default_system(text);
  if (!options.system.empty()) {
    prompt += chatml_turn("system", strip_if(trims_system(text), options.system));
  } else if (!fallback.empty()) {
    prompt += chatml_turn("system", fallback);
  }
  prompt += chatml_turn("user", strip_if(trims_messages(text), user));
  return prompt + answer_opening(text, kChatMlAnswer);
}

std::string render_qwen3(const TemplateText& text, std::string_view user, const ChatOptions& options) {
  std::string prompt = render_chatml(text, user, options);
  if (options.thinking == std::optional(false)) return prompt.append(kNoThoughts);
  // Newer members open the thought themselves where it is not switched off.
  if (!text.literals.empty() && text.literals.back() == "<think>\n") prompt += text.literals.back();
  return prompt;
}

std::string llama3_header(std::string_view role) {
  return fmt::format("<|start_header_id|>{}<|end_header_id|>\n\n", role);
}

// Llama 3.1 and later always write a system turn, with the dates; 3.2 takes today's where it can be had.
std::string llama3_system_turn(const TemplateText& text, const ChatOptions& options) {
  const std::string* knowledge = text.first_starting("Cutting Knowledge Date:");
  const std::string_view system = strip_if(trims_system(text), options.system);
  if (knowledge == nullptr)
    return system.empty() ? "" : fmt::format("{}{}<|eot_id|>", llama3_header("system"), system);
  std::string date;
  const std::string_view assignment = "date_string='";
  if (text.has_code("strftime_now(")) {
    date = options.today.empty() ? format_today() : options.today;
  } else if (const std::size_t at = text.code.find(assignment); at != std::string::npos) {
    const std::size_t begin = at + assignment.size();
    date = text.code.substr(begin, text.code.find('\'', begin) - begin);
  }
  return fmt::format("{}{}Today Date: {}\n\n{}<|eot_id|>", llama3_header("system"), *knowledge, date, system);
}

std::string render_llama3(const TemplateText& text, std::string_view user, const ChatOptions& options) {
  std::string prompt;
  if (text.has_code("bos_token")) prompt += bos_or(options, "<|begin_of_text|>");
  prompt += llama3_system_turn(text, options);
  prompt += llama3_header("user");
  prompt += strip_if(trims_messages(text), user);
  return prompt + "<|eot_id|>" + llama3_header("assistant");
}

std::string render_llama2(const TemplateText& text, std::string_view user, const ChatOptions& options) {
  std::string content;
  if (!options.system.empty()) content = fmt::format("<<SYS>>\n{}\n<</SYS>>\n\n", options.system);
  content += user;
  std::string prompt;
  if (text.has_code("bos_token")) prompt += bos_or(options, "<s>");
  prompt += "[INST] ";
  prompt += strip_if(trims_messages(text), content);
  return prompt + " [/INST]";
}

std::string render_deepseek_r1(const TemplateText& text, std::string_view user, const ChatOptions& options) {
  std::string prompt;
  if (text.has_code("bos_token")) prompt += bos_or(options, "<｜begin▁of▁sentence｜>");
  prompt += options.system;
  prompt.append("<｜User｜>").append(user);
  return prompt + answer_opening(text, kDeepSeekAnswer);
}

}  // namespace

const char* name_of(ChatFormat format) {
  switch (format) {
    case ChatFormat::none:
      return "none";
    case ChatFormat::chatml:
      return "chatml";
    case ChatFormat::llama3:
      return "llama3";
    case ChatFormat::llama2:
      return "llama2";
    case ChatFormat::qwen3:
      return "qwen3";
    case ChatFormat::deepseek_r1:
      return "deepseek_r1";
  }
  return "none";
}

ChatFormat recognise_chat_format(std::string_view template_text) {
  const TemplateText text = read_template_text(template_text);
  if (is_chatml(text)) {
    const bool thinking_switch = text.has_code("enable_thinking") && text.has_literal(kNoThoughts);
    return thinking_switch ? ChatFormat::qwen3 : ChatFormat::chatml;
  }
  if (is_llama3(text)) return ChatFormat::llama3;
  if (is_deepseek_r1(text)) return ChatFormat::deepseek_r1;
  if (is_llama2(text)) return ChatFormat::llama2;
  return ChatFormat::none;
}

std::string apply_chat_format(ChatFormat format, std::string_view template_text, std::string_view user,
                              const ChatOptions& options) {
  const TemplateText text = read_template_text(template_text);
  switch (format) {
    case ChatFormat::chatml:
      return render_chatml(text, user, options);
    case ChatFormat::qwen3:
      return render_qwen3(text, user, options);
    case ChatFormat::llama3:
      return render_llama3(text, user, options);
    case ChatFormat::llama2:
      return render_llama2(text, user, options);
    case ChatFormat::deepseek_r1:
      return render_deepseek_r1(text, user, options);
    case ChatFormat::none:
      break;
  }
  return std::string(user);
}

}  // namespace engine
