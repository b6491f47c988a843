// Templates of our own with the marks of each family; the expected prompts are what Jinja renders from them.
#include "engine/tokenizer/chat_template.hpp"

#include <catch2/catch_test_macros.hpp>
#include <ctime>

using namespace engine;

namespace {

const std::string kChatMl =
    "{% for message in messages %}"
    "{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou answer in rhymes.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

// As Qwen2.5 writes it: escapes, double quotes around code, the tools' branch first, message.role.
const std::string kQwen25 =
    "{%- if tools %}{{- '<|im_start|>system\\n' }}{{- messages[0]['content'] }}"
    "{%- else %}{%- if messages[0]['role'] == 'system' %}"
    "{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}"
    "{%- else %}{{- '<|im_start|>system\\nPut it in \\\\boxed{}. Don\\'t guess.<|im_end|>\\n' }}{%- endif %}"
    "{%- endif %}{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";

const std::string kThinkingAnswer =
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + "
    "'<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}";

const std::string kQwen3 =
    "{%- for message in messages %}{%- set content = message.content %}"
    "{{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}"
    "{%- endif %}{%- endif %}";

const std::string kLlama3 =
    "{% for message in messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] "
    "| trim "
    "+ '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content "
    "}}"
    "{% endfor %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}";

std::string llama31(const std::string& date) {
  return "{{- bos_token }}" + date +
         "{%- set system_message = messages[0]['content']|trim %}"
         "{{- \"<|start_header_id|>system<|end_header_id|>\\n\\n\" }}"
         "{{- \"Cutting Knowledge Date: December 2023\\n\" }}{{- \"Today Date: \" + date_string + \"\\n\\n\" "
         "}}"
         "{{- system_message }}{{- \"<|eot_id|>\" }}{%- for message in messages %}"
         "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | "
         "trim + "
         "'<|eot_id|>' }}{%- endfor %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}";
}
const std::string kFixedDate =
    "{%- if not date_string is defined %}{%- set date_string = \"26 Jul 2024\" %}{%- endif %}";
const std::string kTodaysDate =
    "{%- if strftime_now is defined %}{%- set date_string = strftime_now(\"%d %b %Y\") %}"
    "{%- else %}{%- set date_string = \"26 Jul 2024\" %}{%- endif %}";

const std::string kLlama2 =
    "{% for message in messages %}{% if system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% endfor %}";

const std::string kDeepSeek =
    "{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{{'<｜User｜>' + message['content']}}"
    "{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endfor %}"
    "{% if add_generation_prompt %}{{'<｜Assistant｜><think>\\n'}}{% endif %}";

std::string render(const std::string& text, const std::string& user, const ChatOptions& options = {}) {
  return apply_chat_format(recognise_chat_format(text), text, user, options);
}

ChatOptions with_system(const std::string& system) {
  return {.system = system, .thinking = {}, .bos = {}, .today = {}};
}
ChatOptions with_thinking(bool thinking) {
  return {.system = {}, .thinking = thinking, .bos = {}, .today = {}};
}

}  // namespace

TEST_CASE("ChatFormat, families are recognised from their template's text") {
  CHECK(recognise_chat_format(kChatMl) == ChatFormat::chatml);
  CHECK(recognise_chat_format(kQwen25) == ChatFormat::chatml);
  CHECK(recognise_chat_format(kThinkingAnswer) == ChatFormat::chatml);
  CHECK(recognise_chat_format(kQwen3) == ChatFormat::qwen3);
  CHECK(recognise_chat_format(kLlama3) == ChatFormat::llama3);
  CHECK(recognise_chat_format(llama31(kFixedDate)) == ChatFormat::llama3);
  CHECK(recognise_chat_format(kLlama2) == ChatFormat::llama2);
  CHECK(recognise_chat_format(kDeepSeek) == ChatFormat::deepseek_r1);
}

TEST_CASE("ChatFormat, a template of no known family is none and leaves the text as it is") {
  const std::string zephyr =
      "{% for m in messages %}{{ '<|user|>\n' + m['content'] + eos_token }}{% endfor %}";
  const std::string mistral =
      "{{ bos_token }}{% for m in messages %}{{ '[INST] ' + m['content'] + ' [/INST]' }}{% endfor %}";
  const std::string mentioned_in_a_comment = "{# <|im_start|> <|im_end|> #}{{ messages[0]['content'] }}";
  for (const std::string& text :
       {std::string(), zephyr, mistral, mentioned_in_a_comment, std::string("{{ 'cut")}) {
    INFO(text);
    CHECK(recognise_chat_format(text) == ChatFormat::none);
    CHECK(render(text, " as it is\n") == " as it is\n");
  }
}

TEST_CASE("ChatML, the template's own system prompt stands in for a missing one") {
  CHECK(render(kChatMl, "Hi ") ==
        "<|im_start|>system\nYou answer in rhymes.<|im_end|>\n<|im_start|>user\nHi <|im_end|>\n"
        "<|im_start|>assistant\n");
  CHECK(render(kChatMl, "Hi", with_system("Be brief.")) ==
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

TEST_CASE("ChatML, escapes in the template's literals are resolved") {
  CHECK(render(kQwen25, "Hi") ==
        "<|im_start|>system\nPut it in \\boxed{}. Don't guess.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n");
}

TEST_CASE("ChatML, a template that opens the answer with a thought has it opened") {
  CHECK(render(kThinkingAnswer, "Hi") == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>\n");
}

TEST_CASE("Qwen3, switching thinking off appends an empty thought") {
  const std::string prompt = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
  CHECK(render(kQwen3, "Hi") == prompt);
  CHECK(render(kQwen3, "Hi", with_thinking(true)) == prompt);
  CHECK(render(kQwen3, "Hi", with_thinking(false)) == prompt + "<think>\n\n</think>\n\n");
}

TEST_CASE("Llama 3, no system turn without a system prompt, content is trimmed") {
  CHECK(render(kLlama3, " Hi\n") ==
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n");
  CHECK(render(kLlama3, "Hi", with_system(" Be brief. ")) ==
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|"
        ">\n\n");
}

TEST_CASE("Llama 3.1, the system turn holds the template's date") {
  CHECK(
      render(llama31(kFixedDate), "Hi", with_system("Be brief.")) ==
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
      "Today Date: 26 Jul 2024\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST_CASE("Llama 3.2, the system turn holds today's date") {
  const std::string before =
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
      "Today Date: ";
  const std::string prompt =
      render(llama31(kTodaysDate), "Hi", {.system = {}, .thinking = {}, .bos = {}, .today = "03 Feb 2031"});
  CHECK(prompt.starts_with(before + "03 Feb 2031\n\n<|eot_id|>"));

  const std::time_t now = std::time(nullptr);
  char year[8] = {};
  std::strftime(year, sizeof year, "%Y", std::localtime(&now));
  const std::string unset = render(llama31(kTodaysDate), "Hi");
  CHECK(unset.substr(before.size() + 7, 6) == std::string(year) + "\n\n");
}

TEST_CASE("Llama 2, the system prompt is part of the first turn") {
  CHECK(render(kLlama2, " Hi ") == "<s>[INST] Hi [/INST]");
  CHECK(render(kLlama2, "Hi", with_system("Be brief.")) ==
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST]");
}

TEST_CASE("DeepSeek-R1, the answer starts inside a thought") {
  CHECK(render(kDeepSeek, "Hi") == "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>\n");
  CHECK(render(kDeepSeek, "Hi", with_system("Be brief.")) ==
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi<｜Assistant｜><think>\n");
}

TEST_CASE("ChatFormat, a checkpoint's own BOS replaces the family's") {
  CHECK(render(kLlama2, "Hi", {.system = {}, .thinking = {}, .bos = "<start>", .today = {}}) ==
        "<start>[INST] Hi [/INST]");
}
