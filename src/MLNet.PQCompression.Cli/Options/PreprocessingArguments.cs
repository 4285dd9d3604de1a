using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>The options that state how pictures become a model's input, over what the model, or a file beside it, states.</summary>
internal sealed class PreprocessingArguments
{
    private const string CommandLine = "the command line";

    private readonly Option<OrderChoice?> _order = ChoiceOption.CreateOptional<OrderChoice>("--order", "The order of the model's channels.");
    private readonly Option<int?> _range = new("--range") { HelpName = "1|255", Description = "What a full pixel becomes before the mean is subtracted." };
    private readonly Option<float[]?> _mean = Numbers("--mean", "Subtracted from each channel: red, green, blue, whatever --order says, in the units of --range.", _ => true);
    private readonly Option<float[]?> _std = Numbers("--std", "Each channel is divided by it: red, green, blue, in the units of --range.", v => v > 0);
    private readonly Option<string?> _meanImage = new("--mean-image") { HelpName = "FILE", Description = "Subtracted besides: a picture of the model's size, or an ONNX graph that subtracts a tensor of it." };
    private readonly Option<(int Height, int Width)?> _size = Size("--size", "HxW", "The size of the model's input, where the model leaves it open; one number for a square.");
    private readonly Option<(int Height, int Width)?> _crop = Size("--crop", "N", "The same as --size.");
    private readonly Option<FitChoice?> _fit = ChoiceOption.CreateOptional<FitChoice>("--fit", "crop: the shorter side to --resize, then the centre. stretch: both sides. letterbox: all of it, in the middle or the upper left corner of a grey.");
    private readonly Option<int?> _padding = new Option<int?>("--padding") { HelpName = "N", Description = "For --fit letterbox: the grey of what is left over, 0 to 255. [default: 114]" }.AtLeast(0);
    private readonly Option<int?> _resize = new Option<int?>("--resize") { HelpName = "N", Description = "For --fit crop: the pixels of the shorter side before the crop." }.AtLeast(1);

    public PreprocessingArguments() => _range.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0 && result.Tokens[0].Value is not ("1" or "255"))
            result.AddError($"--range must be 1 or 255, not {result.Tokens[0].Value}.");
    });

    private enum OrderChoice
    {
        Rgb,
        Bgr,
    }

    private enum FitChoice
    {
        Crop,
        Stretch,
        Letterbox,
        LetterboxTopLeft,
    }

    public IReadOnlyList<Option> All => [_order, _range, _mean, _std, _meanImage, _size, _crop, _fit, _resize, _padding];

    /// <summary>Puts the options over what is stated, and says in a line what is assumed or was found outside of the model's own metadata.</summary>
    /// <exception cref="UsageException">The options contradict the model.</exception>
    public StatedPreprocessing Read(ParseResult arguments, ToolConsole console, ModelGraph model, string modelPath)
    {
        StatedPreprocessing stated = Sized(arguments, model, modelPath);
        ImagePreprocessing result = stated.Preprocessing;
        var assumed = stated.Assumed.ToList();
        bool given = false;
        if (arguments.GetValue(_order) is { } order)
        {
            if (result.Channels == 1)
                throw new UsageException("--order: the model takes one channel, which has no order.");
            bool bgr = order == OrderChoice.Bgr;
            Set(result with { Order = result.Channels == 4 ? bgr ? ChannelOrder.Bgra : ChannelOrder.Rgba : bgr ? ChannelOrder.Bgr : ChannelOrder.Rgb }, "order");
        }
        if (arguments.GetValue(_range) is { } range && range != result.Range)
        {
            // Means in other units are of no use.
            Set(result with { Range = range, Mean = [.. result.Mean.Select(_ => 0f)], Std = [.. result.Std.Select(_ => 1f)] }, "range");
            if (!assumed.Contains("mean and std"))
                assumed.Add("mean and std");
        }
        else if (arguments.GetValue(_range) is not null)
            Set(result, "range");
        float[]? mean = arguments.GetValue(_mean), std = arguments.GetValue(_std);
        if (mean is { Length: > 0 } || std is { Length: > 0 })
            Set(result with { Mean = mean is { Length: > 0 } ? [.. mean] : result.Mean, Std = std is { Length: > 0 } ? [.. std] : result.Std }, "mean and std");
        if (result.Mean.Length != result.Channels || result.Std.Length != result.Channels)
            throw new UsageException($"--mean and --std take one number for each of the model's {result.Channels} channels.");
        if (arguments.GetValue(_fit) is not null || arguments.GetValue(_resize) is not null || arguments.GetValue(_padding) is not null)
            Set(Fitted(arguments, result), "fit");
        if (arguments.GetValue(_meanImage) is { } file)
            Set(result with { MeanImage = MeanImageFile.Load(file, result) }, "mean image");
        stated = new(result, given ? [.. stated.Sources, CommandLine] : stated.Sources, [.. assumed]);
        if (!stated.Assumed.IsEmpty || !stated.Sources.All(s => s is "the model's metadata" or CommandLine))
            console.Note($"images: {stated}{(stated.Assumed.IsEmpty ? "" : "; see --order, --range, --mean, --std, --fit")}");
        return stated;

        void Set(ImagePreprocessing changed, string part)
        {
            result = changed;
            given = true;
            assumed.Remove(part);
        }
    }

    /// <summary>Asks the network whether it knows pictures as these become, where something is assumed or was said on the command line, and warns where it does not.</summary>
    public static void Check(ToolConsole console, ModelGraph model, StatedPreprocessing stated, ImageSource images, int threads)
    {
        if (stated.AreValuesStated && !stated.Sources.Contains(CommandLine))
            return;
        ImageSource some = images.Sample(PreprocessingCheck.MostImages, seed: 0);
        var pictures = new List<RgbImage>();
        for (int i = 0; i < some.Count; i++)
            try
            {
                console.CancellationToken.ThrowIfCancellationRequested();
                pictures.Add(some.Decode(i));
            }
            catch (InvalidImageException)
            {
                // told where the images are read
            }
        if (PreprocessingCheck.Run(model, stated.Preprocessing, pictures, threads, console.CancellationToken) is { } warning)
            console.Note($"warning: {warning}");
    }

    private StatedPreprocessing Sized(ParseResult arguments, ModelGraph model, string modelPath)
    {
        TensorShape input = model.Input.Shape;
        StatedPreprocessing stated = StatedPreprocessing.For(model, modelPath);
        if ((arguments.GetValue(_size) ?? arguments.GetValue(_crop)) is not { } size)
            return stated;
        if (input.Rank == 4 && ((input[2] >= 0 && input[2] != size.Height) || (input[3] >= 0 && input[3] != size.Width)))
            throw new UsageException($"The model takes images of {input[2]}×{input[3]}, not of {size.Height}×{size.Width}; leave out --size.");
        ImagePreprocessing p = stated.Preprocessing, usual = ImagePreprocessing.Default(new(-1, p.Channels, size.Height, size.Width));
        p = p with { Width = size.Width, Height = size.Height, MeanImage = null };
        return stated with { Preprocessing = stated.Assumed.Contains("fit") ? p with { Resize = usual.Resize, ShortSide = usual.ShortSide } : p };
    }

    private ImagePreprocessing Fitted(ParseResult arguments, ImagePreprocessing p)
    {
        int? shortSide = arguments.GetValue(_resize);
        int? padding = arguments.GetValue(_padding);
        if (arguments.GetValue(_fit) is null && shortSide is null)
            return p.Resize is ResizeMode.Letterbox or ResizeMode.LetterboxTopLeft ? p with { Padding = Grey(padding!.Value) } : throw new UsageException("--padding is for --fit letterbox.");
        FitChoice fit = arguments.GetValue(_fit) ?? FitChoice.Crop;
        if (fit != FitChoice.Crop && shortSide is not null)
            throw new UsageException("--resize is for --fit crop.");
        if (fit is FitChoice.Crop or FitChoice.Stretch && padding is not null)
            throw new UsageException("--padding is for --fit letterbox.");
        p = p with { Padding = padding is { } grey ? Grey(grey) : p.Padding };
        ImagePreprocessing usual = ImagePreprocessing.Default(new(-1, p.Channels, p.Height, p.Width));
        return fit switch
        {
            FitChoice.Stretch => p with { Resize = ResizeMode.Exact, ShortSide = 0 },
            FitChoice.Letterbox => p with { Resize = ResizeMode.Letterbox, ShortSide = 0 },
            FitChoice.LetterboxTopLeft => p with { Resize = ResizeMode.LetterboxTopLeft, ShortSide = 0 },
            _ => p with { Resize = ResizeMode.ShortSide, ShortSide = shortSide ?? (p.ShortSide > 0 ? p.ShortSide : usual.ShortSide > 0 ? usual.ShortSide : Math.Min(p.Height, p.Width)) },
        };
    }

    private static int Grey(int value) => value <= byte.MaxValue ? value : throw new UsageException($"--padding must be 0 to 255, not {value}.");

    private static Option<(int Height, int Width)?> Size(string name, string help, string description) => new(name)
    {
        HelpName = help,
        Description = description,
        CustomParser = result =>
        {
            int[] sides = [.. result.Tokens[0].Value.Split('x', 'X', '×').Select(t => int.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out int side) ? side : 0)];
            if (sides.Length is 1 or 2 && sides.All(s => s is > 0 and <= 1 << 14))
                return (sides[0], sides[^1]);
            result.AddError($"{name} '{result.Tokens[0].Value}': expected HxW, such as 224x224, or one number for a square.");
            return null;
        },
    };

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
