using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MLNet.PQCompression.Budget;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--target-size, --target-ratio, --max-kl and --max-loss: what the result may take or lose.</summary>
internal sealed class BudgetArguments
{
    private readonly Option<long?> _size = Create("--target-size", "SIZE", "The largest file, such as 900KB or 2MB (1024s); block size and codewords of each layer are chosen for it.", Size);
    private readonly Option<double?> _ratio = Create("--target-ratio", "N", "The file at least N times smaller than the float32 parameters.", Ratio);
    private readonly Option<double?> _divergence = Create("--max-kl", "X", "The smallest file whose KL(teacher || student) on held-out images is at most X nats (1 − cosine, where the output is no classes).", Number);
    private readonly Option<double?> _loss = Create("--max-loss", "X%", "The smallest file that loses at most X% on held-out images: of the answers, of a detector's average precision by its teacher's detections, else 1 − cosine.", Share);

    /// <summary>All of them.</summary>
    public IReadOnlyList<Option> All => [_size, _ratio, _divergence, _loss];

    /// <summary>Refuses two of them at once.</summary>
    public void Check(CommandResult result)
    {
        Option[] given = [.. All.Where(o => result.GetResult(o) is { Implicit: false })];
        if (given.Length > 1)
            result.AddError($"{given[0].Name} and {given[1].Name} exclude each other; give one of them.");
    }

    /// <summary>What was asked for, or null.</summary>
    public CompressionBudget? Read(ParseResult arguments) => All.Any(o => arguments.GetResult(o) is { Implicit: false })
        ? new()
        {
            FileBytes = arguments.GetValue(_size),
            Ratio = arguments.GetValue(_ratio),
            Divergence = arguments.GetValue(_divergence),
            LostShare = arguments.GetValue(_loss),
        }
        : null;

    /// <summary>Bytes of a size such as 900KB, 1.5 MB or 2000000; null where it is none.</summary>
    internal static long? Size(string text)
    {
        (string number, double unit) = text.Trim().ToUpperInvariant() switch
        {
            var t when t.EndsWith("GB", StringComparison.Ordinal) => (t[..^2], 1024.0 * 1024 * 1024),
            var t when t.EndsWith("MB", StringComparison.Ordinal) => (t[..^2], 1024.0 * 1024),
            var t when t.EndsWith("KB", StringComparison.Ordinal) => (t[..^2], 1024.0),
            var t when t.EndsWith('B') => (t[..^1], 1),
            var t => (t, 1.0),
        };
        return Number(number.Trim()) is { } value && value * unit is >= 1 and < 1L << 50 ? (long)(value * unit) : null;
    }

    private static double? Number(string text) => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value > 0 && double.IsFinite(value) ? value : null;

    private static double? Ratio(string text) => Number(text.TrimEnd('x', '×')) is > 1 and var ratio ? ratio : null;

    /// <summary>1% or 0.01.</summary>
    private static double? Share(string text) => (text.EndsWith('%') ? Number(text[..^1]) / 100 : Number(text)) is < 1 and var share ? share : null;

    private static Option<T?> Create<T>(string name, string help, string description, Func<string, T?> parse)
        where T : struct => new(name)
        {
            HelpName = help,
            Description = description,
            CustomParser = result =>
            {
                if (result.Tokens.Count == 1 && parse(result.Tokens[0].Value) is { } value)
                    return value;
                result.AddError($"{name} '{string.Join(' ', result.Tokens.Select(t => t.Value))}': expected {help switch { "SIZE" => "a size such as 900KB or 2MB", "N" => "a number above 1", "X%" => "a share such as 1%", _ => "a positive number" }}.");
                return null;
            },
        };
}
