#include "app/gui/panels/prompt_form.hpp"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <string_view>

#include "app/arguments.hpp"

namespace app::gui {

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();

std::string_view policy_name(const PromptForm& form) {
  return kPolicies[form.policy].name;
}

engine::Status read(const char* field, const std::string& text, std::int64_t low, std::int32_t& out) {
  const auto number = parse_integer(text, low, kMost);
  if (!number) return engine::bad_input("{}: expected a whole number from {}, got '{}'", field, low, text);
  out = static_cast<std::int32_t>(*number);
  return {};
}

engine::Status read(const char* field, const std::string& text, double& out) {
  const auto number = parse_real(text);
  if (!number) return engine::bad_input("{}: expected a number, got '{}'", field, text);
  out = *number;
  return {};
}

engine::Status read_optional(const char* field, const std::string& text, std::int64_t low,
                             std::optional<std::int32_t>& out) {
  if (text.empty()) return {};
  return read(field, text, low, out.emplace());
}

engine::Status read_optional(const char* field, const std::string& text, std::optional<double>& out) {
  if (text.empty()) return {};
  return read(field, text, out.emplace());
}

engine::Status read_sampling(const PromptForm& form, engine::SamplingOptions& sampling) {
  if (auto status = read("Temperature", form.temperature, sampling.temperature); !status) return status;
  if (auto status = read("Top-p", form.top_p, sampling.top_p); !status) return status;
  if (auto status = read("Top-k", form.top_k, 0, sampling.top_k); !status) return status;
  if (!(sampling.temperature >= 0))
    return engine::bad_input("Temperature: expected a number from 0, got '{}'", form.temperature);
  if (!(sampling.top_p > 0 && sampling.top_p <= 1))
    return engine::bad_input("Top-p: expected a number above 0, at most 1, got '{}'", form.top_p);
  const auto seed = parse_unsigned(form.seed);
  if (!seed) return engine::bad_input("Seed: expected a whole number from 0, got '{}'", form.seed);
  sampling.seed = *seed;
  return {};
}

engine::Status read_policy(const PromptForm& form, PolicyArguments& policy) {
  if (!policy_name(form).empty()) policy.name = policy_name(form);
  engine::PolicyOptions& options = policy.options;
  if (takes_window(form)) {
    if (auto status = read_optional("Window", form.window, 0, options.window); !status) return status;
  }
  if (takes_sinks(form)) {
    if (auto status = read_optional("Sinks", form.sinks, 0, options.sinks); !status) return status;
  }
  if (!takes_threshold(form)) return {};
  if (auto status = read_optional("Threshold", form.threshold, options.threshold); !status) return status;
  if (auto status = read_optional("Target CR", form.target_cr, options.target_cr); !status) return status;
  if (options.target_cr && *options.target_cr < 1)
    return engine::bad_input("Target CR: expected a number of at least 1, got '{}'", form.target_cr);
  if (options.target_cr && options.threshold)
    return engine::bad_input("Target CR: it chooses the threshold, leave one of the two empty");
  return {};
}

}  // namespace

bool takes_window(const PromptForm& form) {
  return policy_name(form) != "dense";
}

bool takes_threshold(const PromptForm& form) {
  return policy_name(form) != "dense" && policy_name(form) != "window";
}

bool takes_sinks(const PromptForm& form) {
  return policy_name(form) == "window";
}

engine::Result<RunOptions> to_run_options(const PromptForm& form, const RunPreferences& preferences) {
  RunOptions options;
  if (form.prompt.empty()) return engine::bad_input("Prompt: type something to ask or to continue");
  options.prompt.text = form.prompt;
  options.prompt.raw = form.raw;
  if (!form.raw && !form.system.empty()) options.prompt.system = form.system;
  if (!form.raw && form.thinking != 0) options.prompt.thinking = form.thinking == 1 ? "on" : "off";
  if (auto status = read("Tokens", form.tokens, 1, options.tokens); !status) return status.error();
  if (auto status = read("Chains", form.chains, 1, options.chains); !status) return status.error();
  if (auto status = read_sampling(form, options.sampling); !status) return status.error();
  if (auto status = read_policy(form, options.policy); !status) return status.error();
  options.ignore_eos = form.ignore_eos;
  options.quality = form.quality == 1;
  options.quality_prompt = form.quality == 2;
  if (auto usable = session_options(options); !usable) return usable.error();
  apply(preferences, options);  // afterwards: this is asked in every frame, and GPUs are slow to answer
  return options;
}

PromptForm form_of(const engine::RunStarted& run, std::int32_t tokens) {
  PromptForm form;
  form.prompt = run.prompt;
  form.tokens = std::to_string(tokens);
  form.chains = std::to_string(run.chains);
  form.temperature = fmt::format("{:g}", run.temperature);
  form.top_p = fmt::format("{:g}", run.top_p);
  form.top_k = std::to_string(run.top_k);
  form.seed = std::to_string(run.seed);
  for (int index = 1; index < static_cast<int>(std::size(kPolicies)); ++index) {
    if (run.policy == kPolicies[index].name) form.policy = index;
  }
  if (takes_window(form)) form.window = std::to_string(run.window);
  // The threshold that a target was turned into repeats the run exactly.
  if (takes_threshold(form)) form.threshold = fmt::format("{}", run.threshold);
  if (takes_sinks(form)) form.sinks = std::to_string(run.sinks);
  return form;
}

PromptForm form_of(const RunOptions& options, const std::string& prompt) {
  PromptForm form;
  form.prompt = prompt;
  form.raw = options.prompt.raw;
  form.system = options.prompt.system.value_or("");
  if (options.prompt.thinking) form.thinking = *options.prompt.thinking == "on" ? 1 : 2;
  form.tokens = std::to_string(options.tokens);
  form.chains = std::to_string(options.chains);
  form.temperature = fmt::format("{:g}", options.sampling.temperature);
  form.top_p = fmt::format("{:g}", options.sampling.top_p);
  form.top_k = std::to_string(options.sampling.top_k);
  form.seed = std::to_string(options.sampling.seed);
  form.ignore_eos = options.ignore_eos;
  for (int index = 1; index < static_cast<int>(std::size(kPolicies)); ++index) {
    if (options.policy.name == kPolicies[index].name) form.policy = index;
  }
  const engine::PolicyOptions& policy = options.policy.options;
  if (policy.window) form.window = std::to_string(*policy.window);
  if (policy.threshold) form.threshold = fmt::format("{}", *policy.threshold);
  if (policy.target_cr) form.target_cr = fmt::format("{}", *policy.target_cr);
  if (policy.sinks) form.sinks = std::to_string(*policy.sinks);
  form.quality = options.quality_prompt ? 2 : options.quality ? 1 : 0;
  return form;
}

}  // namespace app::gui
