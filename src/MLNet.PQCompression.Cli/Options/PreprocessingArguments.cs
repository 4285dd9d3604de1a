using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--resize, --crop, --mean and --std, over what the model's metadata or its input's size say.</summary>
internal sealed class PreprocessingArguments
{
    private readonly Option<int?> _resize = new Option<int?>("--resize")
    {
        HelpName = "N",
        Description = "Resize images so that their shorter side has N pixels; without it as the model's metadata or input size say.",
    }.AtLeast(1);

    private readonly Option<int?> _crop = new Option<int?>("--crop") { HelpName = "N", Description = "Take the central N×N pixels." }.AtLeast(1);
    private readonly Option<float[]?> _mean = Numbers("--mean", "Subtracted from each channel of values in [0, 1].", _ => true);
    private readonly Option<float[]?> _std = Numbers("--std", "Each channel is divided by it.", v => v > 0);

    public IReadOnlyList<Option> All => [_resize, _crop, _mean, _std];

    /// <exception cref="UsageException">The options contradict the model.</exception>
    public ImagePreprocessing Read(ParseResult arguments, ModelGraph model)
    {
        TensorShape input = model.Input.Shape;
        int? crop = arguments.GetValue(_crop);
        ImagePreprocessing result = ImagePreprocessing.FromMetadata(model.Metadata)
            ?? ImagePreprocessing.Default(crop is { } side && input.Rank == 4 ? input.With(2, side).With(3, side) : input);
        if (crop is { } size)
            result = result with { Width = size, Height = size };
        if (arguments.GetValue(_resize) is { } shortSide)
            result = result with { Resize = ResizeMode.ShortSide, ShortSide = shortSide };
        result = result with
        {
            Mean = arguments.GetValue(_mean) is { Length: > 0 } mean ? [.. mean] : result.Mean,
            Std = arguments.GetValue(_std) is { Length: > 0 } std ? [.. std] : result.Std,
        };
        if (result.Mean.Length != result.Channels || result.Std.Length != result.Channels)
            throw new UsageException($"--mean and --std take one number for each of the model's {result.Channels} channels.");
        if ((input[2] >= 0 && input[2] != result.Height) || (input[3] >= 0 && input[3] != result.Width))
            throw new UsageException($"The model takes images of {input[2]}×{input[3]}, not of {result.Height}×{result.Width}; leave out --crop.");
        return result;
    }

    /// <summary>Where the preprocessing is known from, in words.</summary>
    public string Origin(ParseResult arguments, ModelGraph model)
    {
        string[] given = [.. All.Where(o => arguments.GetResult(o) is { Implicit: false }).Select(o => o.Name)];
        string rest = ImagePreprocessing.FromMetadata(model.Metadata) is null ? "an assumption: what networks of this input size are commonly trained with" : "the model's metadata";
        return given.Length == 0 ? rest : $"{string.Join(", ", given)}; all else from {rest}";
    }

    private static Option<float[]?> Numbers(string name, string description, Predicate<float> allowed) => new(name)
    {
        HelpName = "R,G,B",
        Description = description,
        CustomParser = result => Parse(name, result, allowed),
    };

    private static float[]? Parse(string name, ArgumentResult result, Predicate<float> allowed)
    {
        string text = result.Tokens[0].Value;
        var values = new List<float>();
        foreach (string part in text.Split(','))
            if (float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value) && allowed(value))
                values.Add(value);
            else
                result.AddError($"{name} '{text}': '{part}' is no number that can stand here; expected a number for each channel, such as 0.485,0.456,0.406.");
        return [.. values];
    }
}
