#include "app/commands/tokenize.hpp"

#include "app/id_list.hpp"
#include "app/text_input.hpp"
#include "engine/tokenizer/tokenizer.hpp"

namespace app {

namespace {

engine::Status decode(const engine::Tokenizer& tokenizer, const std::string& input, Console& console) {
  const IdLimits limits{kMaxInt32, kMaxTextBytes, "the input's size"};
  const auto ids = parse_ids(input, "standard input", limits);
  if (!ids) return ids.error();
  const auto text = tokenizer.decode(*ids);
  if (!text) return text.error();
  console.out() << *text;
  return {};
}

engine::Status encode(const engine::Tokenizer& tokenizer, const std::string& input, bool bos,
                      Console& console) {
  if (auto status = check_utf8(input, "standard input"); !status) return status;
  const auto ids = tokenizer.encode(input);
  if (!ids) return ids.error();
  if (bos) console.out() << *tokenizer.bos() << '\n';
  for (const engine::TokenId id : *ids) console.out() << id << '\n';
  return {};
}

}  // namespace

engine::Status run_tokenize(Arguments arguments, Console& console) {
  std::string model;
  bool decoding = false;
  bool bos = false;
  CLI::App command("Standard input as token ids, one per line; with --decode, ids as text.",
                   "dmscope tokenize");
  command.add_option("--model", model, "A checkpoint folder; its weights are not needed")
      ->required()
      ->type_name("DIR");
  command.add_flag("--decode", decoding, "Read ids, write text");
  command.add_flag("--bos", bos, "Begin with the tokenizer's BOS");
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};

  if (decoding && bos) return engine::bad_input("--bos: has no meaning with --decode");
  const auto tokenizer = engine::Tokenizer::load(model);
  if (!tokenizer) return tokenizer.error();
  if (bos && !(*tokenizer)->bos())
    return engine::bad_input("--bos: the tokenizer of {} names no bos_token", model);
  const auto input = read_standard_input();
  if (!input) return input.error();
  return decoding ? decode(**tokenizer, *input, console) : encode(**tokenizer, *input, bos, console);
}

}  // namespace app
