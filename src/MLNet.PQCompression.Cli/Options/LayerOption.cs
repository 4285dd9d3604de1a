using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MLNet.PQCompression.Compression;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>Parses --layer PATTERN:d=9,k=256 and --layer PATTERN:skip.</summary>
internal static class LayerOption
{
    public static Option<LayerOverride[]> Create() => new("--layer")
    {
        HelpName = "PATTERN:d=D,k=K|skip",
        Description = "Block size and codewords of the layers whose name matches (* and ? allowed), or leave them dense. Repeatable; the last match wins.",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = ParseAll,
        DefaultValueFactory = _ => [],
    };

    /// <summary>Parses one value; null with a message where it is malformed.</summary>
    internal static LayerOverride? Parse(string text, out string? problem)
    {
        problem = $"--layer '{text}': expected PATTERN:d=D,k=K or PATTERN:skip, such as 'layer4.*:d=18,k=256'.";
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || colon == text.Length - 1)
            return null;
        var result = new LayerOverride(text[..colon]);
        foreach (string part in text[(colon + 1)..].Split(','))
        {
            if (part == "skip")
                result = result with { Skip = true };
            else if (part.Length > 2 && part[1] == '=' && int.TryParse(part.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0 && part[0] is 'd' or 'k')
                result = part[0] == 'd' ? result with { BlockSize = value } : result with { Codewords = value };
            else
                return null;
        }
        if (result.Skip && (result.BlockSize ?? result.Codewords) is not null)
            return null;
        problem = null;
        return result;
    }

    private static LayerOverride[] ParseAll(ArgumentResult result)
    {
        var overrides = new List<LayerOverride>();
        foreach (Token token in result.Tokens)
            if (Parse(token.Value, out string? problem) is { } parsed)
                overrides.Add(parsed);
            else
                result.AddError(problem!);
        return [.. overrides];
    }
}
