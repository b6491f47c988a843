#include "app/commands/score.hpp"

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/id_list.hpp"
#include "app/interrupt.hpp"
#include "app/npy_writer.hpp"
#include "app/options.hpp"
#include "app/progress.hpp"
#include "engine/session/score.hpp"

namespace app {

namespace {

namespace fs = std::filesystem;

struct ScoreArguments {
  std::string model;
  std::string ids;
  std::string logits;
  std::optional<std::string> gates;
  std::optional<std::string> live;
  std::string mode = "prefill";
  DeviceOptions device;
  PolicyArguments policy;
  bool quiet = false;
  bool json = false;
};

void add_options(CLI::App& command, ScoreArguments& arguments) {
  command.add_option("--model", arguments.model, "The checkpoint folder; needs no tokenizer")
      ->required()
      ->type_name("DIR");
  command.add_option("--ids", arguments.ids, "Token ids: decimal, white space between")
      ->required()
      ->type_name("FILE");
  command.add_option("--logits", arguments.logits, "Write float32 [T, vocab]")
      ->required()
      ->type_name("OUT.npy");
  command.add_option("--gates", arguments.gates, "Write gate logits, float32 [L, H_kv, T]")
      ->type_name("OUT.npy");
  command.add_option("--live", arguments.live, "Write live slots, int32 [L, H_kv, T]")->type_name("OUT.npy");
  command
      .add_option("--mode", arguments.mode, "prefill: masked, in chunks (default); decode: token by token")
      ->type_name("prefill|decode");
  add_policy_options(command, arguments.policy);
  add_device_options(command, arguments.device);
  command.add_flag("--quiet", arguments.quiet, "No progress, no summary");
  command.add_flag("--json", arguments.json, "A JSON summary on standard output");
}

engine::Result<engine::ScoreOptions> score_options(const ScoreArguments& arguments) {
  engine::ScoreOptions options;
  auto backend = to_backend_options(arguments.device);
  if (!backend) return backend.error();
  options.backend = *backend;
  options.backend.spans = false;
  options.backend.live_at = true;
  auto policy = to_policy_options(arguments.policy);
  if (!policy) return policy.error();
  options.policy = *policy;
  if (arguments.mode != "prefill" && arguments.mode != "decode") {
    return engine::bad_input("--mode: expected prefill or decode, got '{}'", arguments.mode);
  }
  options.mode = arguments.mode == "decode" ? engine::ScoreMode::decode : engine::ScoreMode::prefill;
  return options;
}

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return fs::is_regular_file(a, error);  // /dev/null may be given twice
  return fs::absolute(a, error).lexically_normal() == fs::absolute(b, error).lexically_normal() &&
         !fs::exists(a, error);
}

// Two outputs in one file, or an output over the input, would lose data silently.
engine::Status check_distinct(const ScoreArguments& arguments) {
  struct Named {
    const char* option;
    const std::string* path;
  };
  std::vector<Named> files{{"--ids", &arguments.ids}, {"--logits", &arguments.logits}};
  if (arguments.gates) files.push_back({"--gates", &*arguments.gates});
  if (arguments.live) files.push_back({"--live", &*arguments.live});
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!same_file(*files[j].path, *files[i].path)) continue;
      return engine::bad_input("{}: {} is the same file as {}", files[i].option, *files[i].path,
                               files[j].option);
    }
  }
  return {};
}

struct Outputs {
  NpyWriter logits;
  std::optional<NpyWriter> gates;
  std::optional<NpyWriter> live;
};

// Opened before the work starts, so that a folder that cannot be written costs no pass.
engine::Result<Outputs> open_outputs(const ScoreArguments& arguments, const engine::ModelConfig& config,
                                     std::int64_t count) {
  const std::vector<std::int64_t> per_head{config.layers, config.kv_heads, count};
  auto logits = NpyWriter::create(arguments.logits, "<f4", {count, config.vocab});
  if (!logits) return logits.error();
  Outputs outputs{std::move(*logits), std::nullopt, std::nullopt};
  if (arguments.gates) {
    auto gates = NpyWriter::create(*arguments.gates, "<f4", per_head);
    if (!gates) return gates.error();
    outputs.gates.emplace(std::move(*gates));
  }
  if (arguments.live) {
    auto live = NpyWriter::create(*arguments.live, "<i4", per_head);
    if (!live) return live.error();
    outputs.live.emplace(std::move(*live));
  }
  return outputs;
}

engine::Status write_outputs(Outputs& outputs, const engine::ScoreOutput& scored) {
  if (outputs.gates) {
    if (auto status = outputs.gates->write(std::span<const float>(scored.gates)); !status) return status;
  }
  if (outputs.live) {
    if (auto status = outputs.live->write(std::span<const std::int32_t>(scored.live)); !status) return status;
  }
  for (NpyWriter* file : {&outputs.logits, outputs.gates ? &*outputs.gates : nullptr,
                          outputs.live ? &*outputs.live : nullptr}) {
    if (file == nullptr) continue;
    if (auto status = file->commit(); !status) return status;
  }
  return {};
}

// Dense slots over live slots after the last token.
double final_ratio(const engine::ScoreOutput& scored, std::size_t count) {
  std::int64_t live = 0;
  std::int64_t dense = 0;
  for (std::size_t last = count - 1; last < scored.live.size(); last += count) {
    live += scored.live[last];
    dense += static_cast<std::int64_t>(count);
  }
  return live == 0 ? 1 : static_cast<double>(dense) / static_cast<double>(live);
}

void print_summary(const ScoreArguments& arguments, const engine::ScoreOutput& scored, std::size_t count,
                   double seconds, Console& console) {
  const double ratio = final_ratio(scored, count);
  const double speed = static_cast<double>(count) / seconds;
  if (arguments.json) {
    const nlohmann::ordered_json json{{"tokens", count},
                                      {"policy", engine::name_of(scored.policy.kind)},
                                      {"window", scored.policy.window},
                                      {"threshold", scored.policy.threshold},
                                      {"mode", arguments.mode},
                                      {"device", scored.device},
                                      {"compression_ratio", ratio},
                                      {"seconds", seconds},
                                      {"tokens_per_second", speed}};
    console.print(json.dump(2));
  } else if (!arguments.quiet) {
    for (const std::string& notice : scored.notices) console.notice(notice);
    console.later(fmt::format("scored {} tokens in {:.2f} s ({:.1f} tokens/s), policy {}, CR {:.2f}", count,
                              seconds, speed, engine::name_of(scored.policy.kind), ratio));
  }
}

engine::Status score_files(const ScoreArguments& arguments, const engine::ScoreOptions& options,
                           Console& console) {
  const auto model = engine::load_model(arguments.model);
  if (!model) return model.error();
  const engine::ModelConfig& config = (*model)->config;
  const IdLimits limits{config.vocab, static_cast<std::size_t>(config.max_positions),
                        "max_position_embeddings"};
  const auto ids = read_id_file(arguments.ids, limits);
  if (!ids) return ids.error();
  if (auto policy = engine::resolve_policy(options.policy, **model); !policy) return policy.error();

  InterruptWatch interrupt;
  auto outputs = open_outputs(arguments, config, static_cast<std::int64_t>(ids->size()));
  if (!outputs) return outputs.error();
  Progress progress(!arguments.quiet && console.err_is_terminal());
  const auto on_logits = [&](std::int64_t first, std::int64_t rows, std::span<const float> logits) {
    progress.show("score", first + rows, static_cast<std::int64_t>(ids->size()));
    return outputs->logits.write(logits);
  };
  const std::int64_t start_ns = engine::steady_now_ns();
  const auto scored = engine::score(*model, *ids, options, on_logits, interrupt.token());
  progress.clear();
  if (!scored) return scored.error();
  if (auto status = write_outputs(*outputs, *scored); !status) return status;
  const double seconds = static_cast<double>(engine::steady_now_ns() - start_ns) * 1e-9;
  print_summary(arguments, *scored, ids->size(), seconds, console);
  return {};
}

}  // namespace

engine::Status run_score(Arguments arguments, Console& console) {
  ScoreArguments parsed_arguments;
  CLI::App command("A teacher-forced pass over given token ids.", "dmscope score");
  add_options(command, parsed_arguments);
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};

  const auto options = score_options(parsed_arguments);
  if (!options) return options.error();
  if (auto status = check_distinct(parsed_arguments); !status) return status;
  return score_files(parsed_arguments, *options, console);
}

}  // namespace app
