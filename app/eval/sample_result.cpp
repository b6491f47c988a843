#include "app/eval/sample_result.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace app::eval {

namespace {

using Json = nlohmann::json;

// JSON has no infinity, which is the threshold that evicts nothing or everything.
nlohmann::ordered_json number(double value) {
  if (std::isfinite(value)) return value;
  return value > 0 ? "inf" : "-inf";
}

double number_from(const Json& value) {
  if (value.is_string()) return value.get<std::string>() == "inf" ? HUGE_VAL : -HUGE_VAL;
  return value.get<double>();
}

engine::CacheCost cost_from(const Json& json) {
  return {json.at("dense_slots").get<std::int64_t>(), json.at("peak_slots").get<std::int64_t>(),
          json.at("allocated_slots").get<std::int64_t>(), json.at("kv_reads").get<std::int64_t>()};
}

SampleResult read(const Json& json) {
  SampleResult result;
  result.key = {json.at("task").get<std::string>(), json.at("context").get<std::int32_t>(),
                json.at("sample").get<std::int32_t>(), json.at("setting").get<std::string>()};
  result.asked = json.at("asked").get<std::uint64_t>();
  result.policy = json.at("policy").get<std::string>();
  result.window = json.at("window").get<std::int32_t>();
  result.threshold = number_from(json.at("threshold"));
  result.target_cr = json.at("target_cr").get<double>();
  if (json.contains("depth")) result.depth = json.at("depth").get<double>();
  result.prompt_tokens = json.at("prompt_tokens").get<std::int64_t>();
  result.cost = cost_from(json);
  result.seconds = json.at("seconds").get<double>();
  if (json.contains("predictions")) {
    result.text = TextScore{json.at("predictions").get<std::int64_t>(), json.at("nll").get<double>(),
                            json.at("kl").get<double>(), json.at("top1").get<std::int64_t>()};
  } else {
    result.answer = AnswerScore{json.at("correct").get<bool>(), json.at("right").get<std::int32_t>(),
                                json.at("chains").get<std::int32_t>(), json.at("tokens").get<std::int64_t>(),
                                json.at("text").get<std::string>()};
  }
  return result;
}

}  // namespace

nlohmann::ordered_json to_json(const SampleResult& result) {
  nlohmann::ordered_json json{{"task", result.key.task},
                              {"context", result.key.context},
                              {"sample", result.key.sample},
                              {"setting", result.key.setting},
                              {"asked", result.asked},
                              {"policy", result.policy},
                              {"window", result.window},
                              {"threshold", number(result.threshold)},
                              {"target_cr", result.target_cr},
                              {"prompt_tokens", result.prompt_tokens},
                              {"dense_slots", result.cost.dense_slots},
                              {"peak_slots", result.cost.live_slots},
                              {"allocated_slots", result.cost.allocated_slots},
                              {"kv_reads", result.cost.kv_reads},
                              {"seconds", result.seconds}};
  if (result.depth) json["depth"] = *result.depth;
  if (result.text) {
    json["predictions"] = result.text->predictions;
    json["nll"] = result.text->nll;
    json["kl"] = result.text->kl;
    json["top1"] = result.text->top1;
  }
  if (result.answer) {
    json["correct"] = result.answer->correct;
    json["right"] = result.answer->right;
    json["chains"] = result.answer->chains;
    json["tokens"] = result.answer->tokens;
    json["text"] = result.answer->text;
  }
  return json;
}

std::optional<SampleResult> sample_from_json(const Json& json) {
  try {
    return read(json);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace app::eval
