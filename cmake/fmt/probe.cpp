// Every kind of formatting the program does: whether the archive has what that needs.
#include <fmt/format.h>

#include <string>

int main(int count, char** arguments) {
  std::string text = fmt::format("{} {:>8} {:<8} {:016x}", count, arguments[0], std::string("a"), 7ULL);
  text += fmt::format("{:g} {:.3f} {:+.1f} {:e} {} {} {:L}", 1.5 * count, 2.5F, 1e300, 1e-310, 0.1, 0.1F, 1234567);
  char buffer[20];
  fmt::format_to_n(buffer, sizeof(buffer), "{:.4g}x", 0.3 * count);
  return text.empty() ? 1 : 0;
}
