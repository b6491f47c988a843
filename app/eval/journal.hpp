// Every result as soon as it is there, one JSON object a line, so that an evaluation that was interrupted
// goes on where it was.
//
// The first line says what the results are of. A last line that a crash cut is dropped.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "app/eval/sample_result.hpp"
#include "engine/events/result.hpp"

namespace app::eval {

class Journal {
 public:
  // In memory only.
  Journal() = default;
  // Opens or creates FOLDER/samples.jsonl. `identity` holds what all results have in common (model,
  // sampling); a journal of another one is refused, with the first thing that differs.
  static engine::Result<Journal> open(const std::filesystem::path& folder,
                                      const nlohmann::ordered_json& identity);

  // Null where there is none, or where it answers another question.
  const SampleResult* find(const SampleKey& key, std::uint64_t asked) const;
  engine::Status add(SampleResult result);
  std::size_t resumed() const { return resumed_; }  // results found at opening

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;  // null: in memory only
  std::map<SampleKey, SampleResult> results_;
  std::size_t resumed_ = 0;
};

}  // namespace app::eval
