#include "app/run_setup.hpp"

#include <cmath>

#include "app/arguments.hpp"
#include "engine/policy/policy.hpp"

namespace app {

namespace {

constexpr std::int32_t kMaxChains = 1024;

engine::Status check_context(std::size_t prompt_tokens, std::int32_t tokens, std::int32_t max_positions) {
  if (prompt_tokens + static_cast<std::size_t>(tokens) <= static_cast<std::size_t>(max_positions)) return {};
  return engine::bad_input("--tokens: the prompt's {} tokens and {} more exceed max_position_embeddings {}",
                           prompt_tokens, tokens, max_positions);
}

// The command line refuses these while parsing; the window's fields end here.
engine::Status check_values(const RunOptions& options) {
  const engine::SamplingOptions& sampling = options.sampling;
  const engine::PolicyOptions& policy = options.policy.options;
  if (options.tokens < 1) return engine::bad_input("--tokens {}: expected 1 or more", options.tokens);
  if (options.chains < 1 || options.chains > kMaxChains) {
    return engine::bad_input("--chains {}: expected 1 to {}", options.chains, kMaxChains);
  }
  if (!(sampling.temperature >= 0) || std::isinf(sampling.temperature)) {
    return engine::bad_input("--temperature {}: expected a finite number of at least 0",
                             sampling.temperature);
  }
  if (!(sampling.top_p > 0 && sampling.top_p <= 1)) {
    return engine::bad_input("--top-p {}: expected a number above 0 and at most 1", sampling.top_p);
  }
  if (sampling.top_k < 0) return engine::bad_input("--top-k {}: expected 0 or more", sampling.top_k);
  if (policy.window && *policy.window < 0) {
    return engine::bad_input("--window {}: expected 0 or more", *policy.window);
  }
  if (policy.sinks && *policy.sinks < 0) {
    return engine::bad_input("--sinks {}: expected 0 or more", *policy.sinks);
  }
  if (policy.threshold && !std::isfinite(*policy.threshold)) {
    return engine::bad_input("--threshold {}: expected a finite number", *policy.threshold);
  }
  if (policy.target_cr && !(std::isfinite(*policy.target_cr) && *policy.target_cr >= 1)) {
    return engine::bad_input("--target-cr {}: expected a finite number of at least 1", *policy.target_cr);
  }
  return {};
}

// The CPU's operations are always timed, by the engine itself.
engine::Result<profiling::ProfileMode> profile_of(const RunOptions& options) {
  const bool on_cpu = options.device.device == "cpu";
  if (!options.profile) return on_cpu ? profiling::ProfileMode::off : profiling::ProfileMode::light;
  const auto mode = profiling::profile_mode(*options.profile);
  if (!mode) {
    return engine::bad_input("--profile: expected off, light or detailed, got '{}'", *options.profile);
  }
  if (on_cpu && *mode != profiling::ProfileMode::off) {
    return engine::bad_input("--profile {}: times the kernels of a GPU, cannot be used with --device cpu",
                             *options.profile);
  }
  return *mode;
}

engine::Status check_cost(const RunOptions& options, profiling::ProfileMode profile) {
  if (!options.measure_cost || profile != profiling::ProfileMode::off) return {};
  return engine::bad_input("--measure-cost: has a meaning where a GPU's kernels are timed, not with {}",
                           options.device.device == "cpu" ? "--device cpu" : "--profile off");
}

}  // namespace

void add_run_options(CLI::App& command, RunOptions& options) {
  add_policy_options(command, options.policy);
  add_integer(command, "--chains", options.chains, 1, kMaxChains,
              "Continuations of the prompt, as one batch (default 1)");
  command.add_flag("--ignore-eos", options.ignore_eos, "Go on after the end of the text");
  command.add_flag("--quality", options.quality,
                   "Measure each answer's step against the dense model (about twice the time)");
  command.add_flag("--quality-prompt", options.quality_prompt, "The same, and the prompt's positions too");
  add_sampling_options(command, options.sampling);
  add_device_options(command, options.device);
  command
      .add_option("--profile", options.profile,
                  "GPU: time nothing (off), whole graphs (light, default) or every kernel (detailed)")
      ->type_name("MODE");
  command.add_flag("--measure-cost", options.measure_cost,
                   "GPU: decode some more after the run to tell what profiling costs");
}

engine::Result<engine::SessionOptions> session_options(const RunOptions& options) {
  if (auto status = check_values(options); !status) return status.error();
  const auto profile = profile_of(options);
  if (!profile) return profile.error();
  if (auto status = check_cost(options, *profile); !status) return status.error();
  engine::SessionOptions session;
  auto backend = to_backend_options(options.device);
  if (!backend) return backend.error();
  session.backend = *backend;
  auto policy = to_policy_options(options.policy);
  if (!policy) return policy.error();
  session.policy = *policy;
  session.sampling = options.sampling;
  session.chains = options.chains;
  session.max_tokens = options.tokens;
  session.ignore_eos = options.ignore_eos;
  if (options.quality) session.quality = engine::QualityPass::answers;
  if (options.quality_prompt) session.quality = engine::QualityPass::everything;
  return session;
}

engine::Result<LoadedModel> load_for_run(const std::filesystem::path& folder) {
  auto model = engine::load_model(folder);
  if (!model) return model.error();
  auto tokenizer = engine::Tokenizer::load(folder);
  if (!tokenizer) return tokenizer.error();
  return LoadedModel{std::move(*model), std::move(*tokenizer)};
}

engine::Result<RunSetup> set_up_run(const LoadedModel& loaded, const PromptText& text,
                                    const RunOptions& options) {
  RunSetup setup;
  auto session = session_options(options);
  if (!session) return session.error();
  setup.session = *session;
  if (const auto profile = profile_of(options)) setup.profile = *profile;
  setup.measure_cost = options.measure_cost;
  if (auto policy = engine::resolve_policy(setup.session.policy, *loaded.model); !policy) {
    return policy.error();
  }
  auto prompt = encode_prompt(text, options.prompt, *loaded.tokenizer, *loaded.model);
  if (!prompt) return prompt.error();
  auto fits = check_context(prompt->ids.size(), options.tokens, loaded.model->config.max_positions);
  if (!fits) return fits.error();
  setup.request.prompt = std::move(prompt->ids);
  setup.request.prompt_text = text.text;
  if (!prompt->notice.empty()) setup.notices.push_back(prompt->notice);
  if (options.chains > 1 && options.sampling.temperature == 0) {
    setup.notices.emplace_back("--chains: all chains are equal at temperature 0");
  }
  return setup;
}

}  // namespace app
