#include "profiling/gpu/kernel_names.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

namespace profiling {
namespace {

constexpr std::string_view kOther = "other kernels";

std::string demangled(const char* name) {
  if (!std::string_view(name).starts_with("_Z")) return name;  // "x" would read as the type long long
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 && text ? std::string(text.get()) : std::string(name);
}

void erase_all(std::string& text, std::string_view part) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
    text.erase(at, part.size());
  }
}

// Where the parameter list begins: the last '(' outside template arguments.
std::size_t parameters_of(const std::string& text) {
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '<') ++depth;
    if (text[at] == '>') --depth;
    if (text[at] == '(' && depth == 0) return at;
  }
  return std::string::npos;
}

}  // namespace

std::string plain_kernel_name(const char* name) {
  std::string text = demangled(name);
  if (text.find_first_of("<(") == std::string::npos) return text;  // no signature: "copy host to device"
  erase_all(text, "(anonymous namespace)::");
  text.erase(std::min(text.size(), parameters_of(text)));
  // What stands before the name of a function template is its return type.
  const std::size_t space = text.substr(0, text.find('<')).rfind(' ');
  if (space != std::string::npos) text.erase(0, space + 1);
  return text.empty() ? std::string(name) : text;
}

std::int16_t KernelNames::add(std::string plain) {
  const bool full = by_plain_.size() + 1 >= kMaxNames;
  if (full && !by_plain_.contains(plain)) {
    ++unnamed_;
    plain = kOther;
  }
  const auto [entry, fresh] = by_plain_.try_emplace(plain, static_cast<std::int16_t>(by_plain_.size()));
  if (fresh) new_.push_back(std::move(plain));
  return entry->second;
}

std::int16_t KernelNames::number_of(const char* name) {
  key_ = name != nullptr ? name : "unnamed kernel";
  if (const auto known = by_given_.find(key_); known != by_given_.end()) return known->second;
  const std::int16_t number = add(plain_kernel_name(key_.c_str()));
  if (by_given_.size() < kMaxNames) by_given_.emplace(key_, number);
  return number;
}

std::vector<std::string> KernelNames::take_new() {
  return std::exchange(new_, {});
}

void KernelNames::clear() {
  by_given_.clear();
  by_plain_.clear();
  new_.clear();
  unnamed_ = 0;
}

}  // namespace profiling
