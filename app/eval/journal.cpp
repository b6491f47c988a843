#include "app/eval/journal.hpp"

#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "app/text_input.hpp"

namespace app::eval {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kFormat = "dmscope eval samples 1";

engine::Error write_error(const fs::path& path) {
  return engine::failed("{}: cannot write: {}", path.string(), std::strerror(errno));
}

engine::Status append(std::FILE* file, const fs::path& path, const nlohmann::ordered_json& json) {
  // An answer may end in the middle of a character.
  const std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (std::fwrite(line.data(), 1, line.size(), file) != line.size() || std::fflush(file) != 0) {
    return write_error(path);
  }
  return {};
}

engine::Status check_identity(const fs::path& path, const Json& header, const Json& identity) {
  if (!header.is_object() || header.value("format", "") != kFormat) {
    return engine::bad_input("{}: not the results of an evaluation", path.string());
  }
  for (const auto& [key, value] : identity.items()) {
    if (header.contains(key) && header.at(key) == value) continue;
    return engine::bad_input("{}: holds results with {} {}, expected {}; give another --out", path.string(),
                             key, header.contains(key) ? header.at(key).dump() : "unknown", value.dump());
  }
  return {};
}

struct Contents {
  std::map<SampleKey, SampleResult> results;
  std::size_t whole_bytes = 0;  // without a line that was cut
};

engine::Result<Contents> read(const fs::path& path, const Json& identity) {
  const auto text = read_text_file(path);
  if (!text) return text.error();
  Contents contents;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = text->find('\n', begin);
    if (end == std::string::npos) break;
    const Json json = Json::parse(text->begin() + static_cast<std::ptrdiff_t>(begin),
                                  text->begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (++number == 1) {
      if (auto status = check_identity(path, json, identity); !status) return status.error();
    } else if (auto result = sample_from_json(json)) {
      contents.results.insert_or_assign(result->key, std::move(*result));
    } else {
      return engine::bad_input("{}: line {}: expected a result", path.string(), number);
    }
    begin = end + 1;
    contents.whole_bytes = begin;
  }
  return contents;
}

}  // namespace

engine::Result<Journal> Journal::open(const fs::path& folder, const nlohmann::ordered_json& identity) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return engine::bad_input("--out {}: cannot make this folder: {}", folder.string(), error.message());
  Journal journal;
  journal.path_ = folder / "samples.jsonl";
  journal.file_.reset(std::fopen(journal.path_.c_str(), "ab"));
  if (!journal.file_) return write_error(journal.path_);
  if (flock(fileno(journal.file_.get()), LOCK_EX | LOCK_NB) != 0) {
    return engine::bad_input("{}: another evaluation writes it; give another --out", journal.path_.string());
  }
  const Json plain = Json::parse(identity.dump());  // equal whatever the order of its keys
  if (fs::file_size(journal.path_, error) > 0) {
    auto contents = read(journal.path_, plain);
    if (!contents) return contents.error();
    journal.results_ = std::move(contents->results);
    journal.resumed_ = journal.results_.size();
    fs::resize_file(journal.path_, contents->whole_bytes, error);
    if (error) return engine::failed("{}: cannot write: {}", journal.path_.string(), error.message());
  }
  if (fs::file_size(journal.path_, error) > 0) return journal;
  nlohmann::ordered_json header{{"format", kFormat}};
  header.update(identity);
  if (auto status = append(journal.file_.get(), journal.path_, header); !status) return status.error();
  return journal;
}

const SampleResult* Journal::find(const SampleKey& key, std::uint64_t asked) const {
  const auto found = results_.find(key);
  return found == results_.end() || found->second.asked != asked ? nullptr : &found->second;
}

engine::Status Journal::add(SampleResult result) {
  if (file_) {
    if (auto status = append(file_.get(), path_, to_json(result)); !status) return status;
  }
  SampleKey key = result.key;
  results_.insert_or_assign(std::move(key), std::move(result));
  return {};
}

}  // namespace app::eval
