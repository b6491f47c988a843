#include "app/commands/info.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "app/gpu_report.hpp"
#include "app/run_report.hpp"
#include "engine/bench/host.hpp"
#include "engine/checkpoint/model.hpp"
#include "profiling/schema.hpp"
#include "profiling/trace_tools.hpp"

namespace app {

namespace {

using Json = nlohmann::ordered_json;

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

Json program_json() {
  return {{"version", DMSCOPE_VERSION},
          {"build_type", DMSCOPE_BUILD_TYPE},
          {"compiler", compiler()},
          {"trace_schema_version", profiling::kSchemaVersion},
          {"sqlite", profiling::sqlite_version()},
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
          {"cli11", CLI11_VERSION},
          {"nlohmann_json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                                        NLOHMANN_JSON_VERSION_PATCH)}};
}

// Asked once: libraries are opened for it.
struct GpuFacts {
  engine::GpuSurvey survey = engine::survey_gpus();
  profiling::GpuTool cupti = profiling::find_cupti();
  profiling::GpuTool nvml = profiling::find_nvml();
};

Json device_json(const GpuFacts& gpu) {
  const engine::HostInfo host = engine::describe_host();
  Json json{{"processor", host.processor},
            {"usable_cores", host.usable_cores},
            {"instruction_set", host.instruction_set},
            {"instruction_set_reason", host.instruction_set_reason},
            {"available_instruction_sets", host.available_sets},
            {"cuda", gpu_json(gpu.survey)},
            {"cupti", tool_json(gpu.cupti)},
            {"nvml", tool_json(gpu.nvml)}};
  return json;
}

Json dms_json(const engine::DmsConfig& dms) {
  if (dms.form == engine::GateForm::none) return nullptr;
  Json json{{"gates", engine::name_of(dms.form)},
            {"source", dms.source},
            {"window", dms.window},
            {"alpha_scale", dms.alpha_scale},
            {"alpha_offset", dms.alpha_offset},
            {"lag", dms.lag},
            {"zero_after_rope", dms.zero_after_rope},
            {"gates_per_layer", dms.per_layer},
            {"eviction_disabled", dms.disable_eviction},
            {"target_cr", nullptr}};
  if (dms.target_cr) json["target_cr"] = *dms.target_cr;
  return json;
}

Json model_json(const engine::Model& model) {
  const engine::ModelConfig& config = model.config;
  return {{"name", model.name},
          {"folder", model.folder.string()},
          {"architecture", engine::name_of(config.architecture)},
          {"weight_dtype", kernels::name_of(model.weight_dtype)},
          {"parameters", model.parameter_count},
          {"weight_bytes", model.weight_bytes},
          {"layers", config.layers},
          {"hidden", config.hidden},
          {"intermediate", config.intermediate},
          {"query_heads", config.query_heads},
          {"kv_heads", config.kv_heads},
          {"head_dim", config.head_dim},
          {"vocab", config.vocab},
          {"max_positions", config.max_positions},
          {"rope_theta", config.rope_theta},
          {"tied_embeddings", config.tied_embeddings},
          {"dms", dms_json(model.dms)}};
}

std::string joined(const Json& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name.get<std::string>();
  return text;
}

std::string program_text(const Json& program, const Json& device) {
  const std::string reason = device["instruction_set_reason"].get<std::string>();
  std::string text = fmt::format(
      "program    dmscope {}, {} build, {}, trace schema {}, SQLite {}\n"
      "device     {}, {} cores, {}{} (can run: {})\n",
      program["version"].get<std::string>(), program["build_type"].get<std::string>(),
      program["compiler"].get<std::string>(), program["trace_schema_version"].get<int>(),
      program["sqlite"].get<std::string>(), device["processor"].get<std::string>(),
      device["usable_cores"].get<int>(), device["instruction_set"].get<std::string>(),
      reason.empty() ? "" : ": " + reason, joined(device["available_instruction_sets"]));
  return text;
}

std::string dms_text(const engine::DmsConfig& dms) {
  if (dms.form == engine::GateForm::none) return "none: an ordinary checkpoint";
  return fmt::format("{}, window {}, lag {}, scale {}, offset {}{}{}, from {}", engine::name_of(dms.form),
                     dms.window, dms.lag, dms.alpha_scale, dms.alpha_offset,
                     dms.per_layer ? ", per layer" : "", dms.disable_eviction ? ", eviction disabled" : "",
                     dms.source);
}

std::string model_text(const engine::Model& model) {
  const engine::ModelConfig& config = model.config;
  return fmt::format(
      "model      {}: {}, {}, {:.4g} M parameters, {}\n"
      "shape      {} layers, hidden {}, {} query heads and {} KV heads of {}, vocabulary {}, {} positions\n"
      "DMS        {}\n",
      model.name, engine::name_of(config.architecture), kernels::name_of(model.weight_dtype),
      static_cast<double>(model.parameter_count) * 1e-6,
      bytes_text(static_cast<std::uintmax_t>(model.weight_bytes)), config.layers, config.hidden,
      config.query_heads, config.kv_heads, config.head_dim, config.vocab, config.max_positions,
      dms_text(model.dms));
}

struct InfoOptions {
  std::optional<std::string> model;
  std::optional<std::string> trace;
  bool json = false;
};

engine::Status print_json(const InfoOptions& options, const engine::Model* model, Console& console) {
  Json json{{"program", program_json()}, {"device", device_json(GpuFacts())}};
  if (model != nullptr) json["model"] = model_json(*model);
  if (options.trace) {
    const auto trace = profiling::describe_trace(*options.trace, true);
    if (!trace) return trace.error();
    json["trace"] = Json::parse(*trace);
  }
  console.print(json.dump(2, ' ', false, Json::error_handler_t::replace));
  return {};
}

engine::Status print_text(const InfoOptions& options, const engine::Model* model, Console& console) {
  const GpuFacts gpu;
  std::string text = program_text(program_json(), device_json(gpu)) + gpu_text(gpu.survey) +
                     tool_text("CUPTI", gpu.cupti) + tool_text("NVML", gpu.nvml);
  if (model != nullptr) text += model_text(*model);
  if (options.trace) {
    const auto trace = profiling::describe_trace(*options.trace, false);
    if (!trace) return trace.error();
    text += *trace;
  }
  console.print(text);
  return {};
}

}  // namespace

engine::Status run_info(Arguments arguments, Console& console) {
  InfoOptions options;
  CLI::App command("What this program and machine, a checkpoint, or a trace is.", "dmscope info");
  command.add_option("--model", options.model, "A checkpoint folder")->type_name("DIR");
  command.add_option("TRACE", options.trace, "A trace");
  command.add_flag("--json", options.json, "As a JSON object");
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};

  std::shared_ptr<const engine::Model> model;
  if (options.model) {
    auto loaded = engine::load_model(*options.model);
    if (!loaded) return loaded.error();
    model = *loaded;
  }
  return options.json ? print_json(options, model.get(), console) : print_text(options, model.get(), console);
}

}  // namespace app
