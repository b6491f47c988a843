#include "engine/tokenizer/regex.hpp"

#include <pcre2.h>

#include <array>
#include <chrono>
#include <ctime>
#include <new>

#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

constexpr std::size_t kLongestPattern = 16 << 10;  // published ones are under 1 KiB
constexpr std::uint32_t kBacktrackLimit = 20'000'000;
constexpr std::uint32_t kHeapLimitKib = 256 << 10;
constexpr std::size_t kJitStackStartBytes = 64 << 10;
constexpr std::size_t kJitStackBytes = 32 << 20;

// The patterns of a file may take this long over a text; the known ones take a tenth of a second for 1 MiB.
constexpr std::chrono::milliseconds kTimeBase{3000};
constexpr std::chrono::milliseconds kTimePerMib{1000};

std::chrono::nanoseconds thread_cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// PCRE2's own limits count backtracks, not the characters scanned between them, so that a pattern can be
// quadratic within them. Callouts before every item of the pattern look at the clock.
struct Deadline {
  RegexDeadline end{};
  unsigned calls = 0;
};

int check_deadline(pcre2_callout_block*, void* data) {
  auto& deadline = *static_cast<Deadline*>(data);
  if (++deadline.calls % 64 != 0) return 0;
  return thread_cpu_time() > deadline.end ? PCRE2_ERROR_CALLOUT : 0;
}

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 200> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using CodePointer = std::unique_ptr<pcre2_code, Freed<pcre2_code_free>>;
using CompileContext = std::unique_ptr<pcre2_compile_context, Freed<pcre2_compile_context_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, Freed<pcre2_match_data_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Freed<pcre2_match_context_free>>;
using JitStack = std::unique_ptr<pcre2_jit_stack, Freed<pcre2_jit_stack_free>>;

}  // namespace

struct Regex::Code {
  CodePointer pointer;
};

Result<Regex> Regex::compile(std::string_view pattern, const std::string& where) {
  if (pattern.size() > kLongestPattern) {
    return bad_input("{}: the pattern has {} bytes, expected at most {}", where, pattern.size(),
                     kLongestPattern);
  }
  Result<std::string> translated = translate_regex(pattern, where);
  if (!translated) return translated.error();
  return compile_translated(*translated, pattern, where);
}

Result<Regex> Regex::literal(std::string_view text, const std::string& where) {
  if (text.empty()) return bad_input("{}: the pattern is empty, expected a text to look for", where);
  if (text.size() > kLongestPattern) {
    return bad_input("{}: the pattern has {} bytes, expected at most {}", where, text.size(),
                     kLongestPattern);
  }
  std::string pattern;
  std::size_t offset = 0;
  while (offset < text.size()) pattern += fmt::format("\\x{{{:x}}}", next_code_point(text, offset));
  return compile_translated(pattern, text, where);
}

Result<Regex> Regex::compile_translated(const std::string& pattern, std::string_view original,
                                        const std::string& where) {
  int error = 0;
  PCRE2_SIZE error_offset = 0;
  const CompileContext context(pcre2_compile_context_create(nullptr));
  if (context == nullptr) throw std::bad_alloc();
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  CodePointer code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                 PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_AUTO_CALLOUT |
                                     PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK,
                                 &error, &error_offset, context.get()));
  if (code == nullptr)
    return bad_input("{}: {} is not a valid pattern: {}", where, in_quotes(original), message_of(error));
  // Where PCRE2 was built without JIT the interpreter runs the pattern; the result is the same.
  (void)pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
  Regex regex;
  regex.code_ = std::make_shared<const Code>(Code{std::move(code)});
  regex.where_ = where;
  return regex;
}

struct Regex::Matcher::State {
  MatchData match;
  MatchContext context;
  JitStack stack;
  Deadline deadline;
};

RegexDeadline regex_deadline(std::size_t text_bytes) {
  return thread_cpu_time() + kTimeBase + kTimePerMib * static_cast<long>(text_bytes >> 20);
}

Regex::Matcher::Matcher(const Regex& regex, RegexDeadline deadline)
    : state_(std::make_unique<State>()), regex_(regex) {
  state_->match.reset(pcre2_match_data_create_from_pattern(regex.code_->pointer.get(), nullptr));
  state_->context.reset(pcre2_match_context_create(nullptr));
  state_->stack.reset(pcre2_jit_stack_create(kJitStackStartBytes, kJitStackBytes, nullptr));
  if (!state_->match || !state_->context) throw std::bad_alloc();
  state_->deadline.end = deadline;
  pcre2_set_match_limit(state_->context.get(), kBacktrackLimit);
  pcre2_set_heap_limit(state_->context.get(), kHeapLimitKib);
  pcre2_set_callout(state_->context.get(), check_deadline, &state_->deadline);
  if (state_->stack) pcre2_jit_stack_assign(state_->context.get(), nullptr, state_->stack.get());
}

Regex::Matcher::~Matcher() = default;

Status Regex::Matcher::next_match(std::string_view text, std::size_t start, std::optional<TextSpan>& match) {
  match.reset();
  const int count =
      pcre2_match(regex_.code_->pointer.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), start,
                  PCRE2_NO_UTF_CHECK, state_->match.get(), state_->context.get());
  if (count == PCRE2_ERROR_NOMATCH) return {};
  if (count == PCRE2_ERROR_CALLOUT)
    return bad_input("{}: the pattern takes too long on this text", regex_.where_);
  if (count < 0) return bad_input("{}: the pattern fails on this text: {}", regex_.where_, message_of(count));
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(state_->match.get());
  match = TextSpan{offsets[0], offsets[1]};
  return {};
}

Result<std::span<const TextSpan>> Regex::Matcher::find_all(std::string_view text) {
  spans_.clear();
  std::size_t start = 0;
  std::size_t last_end = std::string_view::npos;
  std::optional<TextSpan> match;
  while (start <= text.size()) {
    if (Status status = next_match(text, start, match); !status) return status.error();
    if (!match) break;
    const bool touches_last = match->begin == match->end && match->end == last_end;
    if (touches_last && start == text.size()) break;
    if (touches_last) {
      next_code_point(text, start);
      continue;
    }
    spans_.push_back(*match);
    start = last_end = match->end;
  }
  return std::span<const TextSpan>(spans_);
}

}  // namespace engine
