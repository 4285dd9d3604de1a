using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using MLNet.PQCompression.Formats.Onnx;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--input and --input-value: the inputs of an ONNX model that has several.</summary>
internal sealed class InputOptions
{
    private readonly Option<string?> _image = new("--input") { HelpName = "NAME", Description = "The image among several inputs of an ONNX model; found out where only one can be an image." };

    private readonly Option<string[]> _values = new("--input-value")
    {
        HelpName = "NAME=V,V",
        Description = "What another input is given: one number, or as many as it has elements. By itself a scale is 1, and a size is that of the image. Repeatable.",
        DefaultValueFactory = _ => [],
    };

    public InputOptions() => _values.Validators.Add(result =>
    {
        foreach (string text in result.Tokens.Select(t => t.Value).Where(t => Parse(t) is null))
            result.AddError($"--input-value takes NAME=NUMBER,NUMBER, not '{text}'.");
    });

    public IReadOnlyList<Symbol> All => [_image, _values];

    public OnnxInputs Read(ParseResult arguments) => new(arguments.GetValue(_image))
    {
        Values = arguments.GetRequiredValue(_values).Select(t => Parse(t)!.Value).ToImmutableDictionary(v => v.Name, v => v.Values, StringComparer.Ordinal),
    };

    private static (string Name, ImmutableArray<float> Values)? Parse(string text)
    {
        int at = text.LastIndexOf('=');
        float[] values = [.. text[(at + 1)..].Split(',').Select(v => float.TryParse(v, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) ? number : float.NaN)];
        return at < 1 || !values.All(float.IsFinite) ? null : (text[..at], [.. values]);
    }
}
