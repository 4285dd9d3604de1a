using System.Collections.Immutable;
using System.Globalization;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Images;

/// <summary>How an image becomes the input of a model: resize, crop, a full pixel made 1 or 255, (x − mean)/std for each channel, C×H×W.</summary>
public sealed record ImagePreprocessing
{
    /// <summary>The key of a model file's metadata under which the preprocessing is kept.</summary>
    public const string MetadataKey = "pq.preprocessing";

    /// <summary>The channel means of ImageNet, of values in [0, 1], red first.</summary>
    public static ImmutableArray<float> ImageNetMean { get; } = [0.485f, 0.456f, 0.406f];

    /// <summary>The channel standard deviations of ImageNet, of values in [0, 1], red first.</summary>
    public static ImmutableArray<float> ImageNetStd { get; } = [0.229f, 0.224f, 0.225f];

    private const string LetterboxText = "letterbox:", TopLeftText = "letterbox-top-left:";

    /// <summary>Columns of the result.</summary>
    public required int Width { get; init; }

    /// <summary>Rows of the result.</summary>
    public required int Height { get; init; }

    /// <summary>How an image is brought to size before the crop.</summary>
    public ResizeMode Resize { get; init; } = ResizeMode.Exact;

    /// <summary>The pixels of the shorter side after resizing, for <see cref="ResizeMode.ShortSide"/>.</summary>
    public int ShortSide { get; init; }

    /// <summary>The grey of what an image does not fill, 0 to 255, for the two letterboxes.</summary>
    public int Padding { get; init; } = 114;

    /// <summary>The order of the planes.</summary>
    public ChannelOrder Order { get; init; } = ChannelOrder.Rgb;

    /// <summary>What a full pixel becomes before the mean is subtracted: 1 or 255.</summary>
    public int Range { get; init; } = 1;

    /// <summary>What is subtracted from each channel, in the units of <see cref="Range"/>: red, green, blue and alpha, or grey, whatever the order of the planes.</summary>
    public ImmutableArray<float> Mean { get; init; } = ImageNetMean;

    /// <summary>What each channel is divided by after the mean: red, green, blue and alpha, or grey, whatever the order of the planes.</summary>
    public ImmutableArray<float> Std { get; init; } = ImageNetStd;

    /// <summary>What is subtracted besides, a value for each of the model's inputs; null for nothing.</summary>
    public MeanImage? MeanImage { get; init; }

    /// <summary>C, the planes of the result.</summary>
    public int Channels => Order switch { ChannelOrder.Grey => 1, ChannelOrder.Rgb or ChannelOrder.Bgr => 3, _ => 4 };

    /// <summary>The values of the result, C·H·W.</summary>
    public int Length => Channels * Height * Width;

    /// <summary>What networks of an input size are commonly trained with: ImageNet's mean and deviation; from 112 pixels on the shorter side is resized to
    /// 8/7 of the crop (224: 256), below that the image is resized to exactly the input's size.</summary>
    /// <param name="input">N×C×H×W or C×H×W, with one, three or four channels; unknown H and W become 224.</param>
    /// <exception cref="ArgumentException">The shape is no image's.</exception>
    public static ImagePreprocessing Default(TensorShape input)
    {
        if (input.Rank is not (3 or 4) || input[input.Rank - 3] is not (1 or 3 or 4) || input[input.Rank - 1] == 0 || input[input.Rank - 2] == 0)
            throw new ArgumentException($"The input {input} is no image: N×C×H×W with one, three or four channels is expected. Other inputs can be given as numbers by the API (ISampleSource).", nameof(input));
        int height = input[input.Rank - 2] < 0 ? 224 : input[input.Rank - 2], width = input[input.Rank - 1] < 0 ? 224 : input[input.Rank - 1];
        int shorter = Math.Min(width, height);
        var rgb = new ImagePreprocessing
        {
            Width = width,
            Height = height,
            Resize = shorter >= 112 ? ResizeMode.ShortSide : ResizeMode.Exact,
            ShortSide = shorter >= 112 ? (int)Math.Round(shorter * 8 / 7.0) : 0,
        };
        return input[input.Rank - 3] switch
        {
            1 => rgb with { Order = ChannelOrder.Grey, Mean = [0.5f], Std = [0.5f] },
            4 => rgb with { Order = ChannelOrder.Rgba, Mean = [.. ImageNetMean, 0], Std = [.. ImageNetStd, 1] },
            _ => rgb,
        };
    }

    /// <summary>Resizes and crops: the pixels that the model sees, before they are normalised.</summary>
    /// <exception cref="ArgumentException">The record contradicts itself; see <see cref="Check"/>.</exception>
    public RgbImage Frame(RgbImage image)
    {
        Check();
        RgbImage resized = Resize switch
        {
            ResizeMode.Exact => ImageResizer.Resize(image, Width, Height),
            ResizeMode.ShortSide => ImageResizer.ResizeShortSide(image, ShortSide),
            ResizeMode.Letterbox or ResizeMode.LetterboxTopLeft => ImageResizer.Letterbox(image, Width, Height, (byte)Padding, centred: Resize == ResizeMode.Letterbox),
            _ => image,
        };
        return ImageResizer.CenterCrop(resized, Width, Height);
    }

    /// <summary>Where <see cref="Frame"/> puts a picture, to bring what is found in the frame back into the picture.</summary>
    /// <param name="width">The picture's width in pixels.</param>
    /// <param name="height">The picture's height in pixels.</param>
    public PicturePlacement Place(int width, int height)
    {
        (double w, double h) = Resize switch
        {
            ResizeMode.Exact => (Width, Height),
            ResizeMode.ShortSide => ImageResizer.ShortSideSize(width, height, ShortSide),
            ResizeMode.Letterbox or ResizeMode.LetterboxTopLeft => ImageResizer.FittedSize(width, height, Width, Height),
            _ => (width, height),
        };
        (int left, int top) = Resize switch
        {
            ResizeMode.Letterbox => ((Width - (int)w) / 2, (Height - (int)h) / 2),
            ResizeMode.LetterboxTopLeft => (0, 0),
            _ => (-ImageResizer.Offset((int)w, Width), -ImageResizer.Offset((int)h, Height)),
        };
        return new(width, height, w / width, h / height, left, top);
    }

    /// <summary>Resizes, crops and normalises an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="destination">C×H×W values, plane after plane; at least <see cref="Length"/>.</param>
    /// <exception cref="ArgumentException">The destination is too short, or the record contradicts itself.</exception>
    public void Apply(RgbImage image, Span<float> destination) => new PixelNormalizer(this).Normalize(Frame(image).Pixels, destination);

    /// <summary>Checks that sizes are positive and that there is a mean and a positive deviation for each plane.</summary>
    /// <exception cref="ArgumentException">Something contradicts.</exception>
    public void Check()
    {
        if (Width <= 0 || Height <= 0 || (Resize == ResizeMode.ShortSide && ShortSide <= 0))
            throw new ArgumentException($"Preprocessing needs positive sizes, not {Width}×{Height} with a shorter side of {ShortSide}.");
        if (Range is not (1 or 255) || Padding is < 0 or > 255)
            throw new ArgumentException($"A full pixel becomes 1 or 255, not {Range}, and padding is 0 to 255, not {Padding}.");
        if (Mean.IsDefault || Std.IsDefault || Mean.Length != Channels || Std.Length != Channels || !Std.All(s => s > 0 && float.IsFinite(s)) || !Mean.All(float.IsFinite))
            throw new ArgumentException($"Preprocessing needs a mean and a positive deviation for each of {Channels} planes.");
        if (MeanImage is { } mean && (mean.Channels, mean.Height, mean.Width) != (Channels, Height, Width))
            throw new ArgumentException($"The mean image is {mean.Channels}×{mean.Height}×{mean.Width}; the model takes {Channels}×{Height}×{Width}.");
    }

    /// <summary>The channel of a picture that a plane holds: 0 red (or grey), 1 green, 2 blue, 3 alpha.</summary>
    internal int SourceOf(int plane) => plane < 3 && Order is ChannelOrder.Bgr or ChannelOrder.Bgra ? 2 - plane : plane;

    /// <summary>The deviation of a plane.</summary>
    internal float StdOf(int plane) => Std[SourceOf(plane)];

    /// <summary>What a plane holds where the pixel is <paramref name="value"/>, 0 to 255, but for the mean image.</summary>
    internal float Normalized(float value, int plane) => ((Range == 1 ? value / 255f : value) - Mean[SourceOf(plane)]) / StdOf(plane);

    /// <summary>The entry that keeps the preprocessing in a model file.</summary>
    public KeyValuePair<string, string> ToMetadata() => new(MetadataKey, ToString());

    /// <summary>Reads the preprocessing from a model file's metadata; null where it has none.</summary>
    /// <exception cref="FormatException">The entry is broken.</exception>
    public static ImagePreprocessing? FromMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return metadata.TryGetValue(MetadataKey, out string? text) ? Parse(text) : null;
    }

    /// <summary>The model's own preprocessing, or else the default for its input.</summary>
    /// <exception cref="FormatException">The model's metadata entry is broken.</exception>
    public static ImagePreprocessing For(ModelGraph model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return FromMetadata(model.Metadata) ?? Default(model.Input.Shape);
    }

    /// <summary>For a person: "RGB from 0 to 1, less 0.485, 0.456, 0.406, divided by 0.229, 0.224, 0.225; shorter side 256, central 224×224".</summary>
    public string Describe()
    {
        string fit = Resize switch
        {
            ResizeMode.Exact => $"stretched to {Width}×{Height}",
            ResizeMode.ShortSide => string.Create(CultureInfo.InvariantCulture, $"shorter side {ShortSide}, central {Width}×{Height}"),
            ResizeMode.Letterbox => $"fitted into {Width}×{Height}, the rest grey {Padding}",
            ResizeMode.LetterboxTopLeft => $"fitted into the upper left of {Width}×{Height}, the rest grey {Padding}",
            _ => $"central {Width}×{Height}",
        };
        string less = Mean.All(m => m == 0) ? "" : $", less {string.Join(", ", Mean.Select(Text))}", by = Std.All(s => s == 1) ? "" : $", divided by {string.Join(", ", Std.Select(Text))}";
        return $"{Order.ToString().ToUpperInvariant()} from 0 to {Range}{less}{(MeanImage is null ? "" : ", less a mean image")}{by}; {fit}";
    }

    /// <summary>A readable form that <see cref="Parse"/> takes back: <c>resize=short:256;crop=224x224;order=rgb;mean=0.485,0.456,0.406;std=0.229,0.224,0.225</c>.</summary>
    public override string ToString()
    {
        string resize = Resize switch
        {
            ResizeMode.Exact => "exact",
            ResizeMode.ShortSide => $"short:{ShortSide.ToString(CultureInfo.InvariantCulture)}",
            ResizeMode.Letterbox => $"{LetterboxText}{Padding.ToString(CultureInfo.InvariantCulture)}",
            ResizeMode.LetterboxTopLeft => $"{TopLeftText}{Padding.ToString(CultureInfo.InvariantCulture)}",
            _ => "none",
        };
        return string.Create(CultureInfo.InvariantCulture, $"resize={resize};crop={Width}x{Height};order={Order.ToString().ToLowerInvariant()};{(Range == 1 && Order is ChannelOrder.Rgb or ChannelOrder.Grey ? "" : $"range={Range};")}mean={Join(Mean)};std={Join(Std)}{(MeanImage is null ? "" : $";mean-image={MeanImage}")}");
    }

    /// <summary>Reads what <see cref="ToString"/> writes. Parts may come in any order; the crop is required.</summary>
    /// <exception cref="FormatException">The text is broken.</exception>
    public static ImagePreprocessing Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            var result = new ImagePreprocessing { Width = 0, Height = 0 };
            foreach (string part in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                string[] sides = part.Split('=', 2);
                string value = sides.Length == 2 ? sides[1] : throw new FormatException($"'{part}' is not of the form name=value");
                result = sides[0] switch
                {
                    "resize" => value switch
                    {
                        "none" => result with { Resize = ResizeMode.None },
                        "exact" => result with { Resize = ResizeMode.Exact },
                        _ when value.StartsWith(LetterboxText, StringComparison.Ordinal) => result with { Resize = ResizeMode.Letterbox, Padding = Integer(value[LetterboxText.Length..]) },
                        _ when value.StartsWith(TopLeftText, StringComparison.Ordinal) => result with { Resize = ResizeMode.LetterboxTopLeft, Padding = Integer(value[TopLeftText.Length..]) },
                        _ when value.StartsWith("short:", StringComparison.Ordinal) => result with { Resize = ResizeMode.ShortSide, ShortSide = Integer(value[6..]) },
                        _ => throw new FormatException($"resize is '{value}'; none, exact, short:N, letterbox:N or letterbox-top-left:N is expected"),
                    },
                    "crop" when value.Split('x') is [var width, var height] => result with { Width = Integer(width), Height = Integer(height) },
                    "order" => result with { Order = value switch { "rgb" => ChannelOrder.Rgb, "bgr" => ChannelOrder.Bgr, "grey" => ChannelOrder.Grey, "rgba" => ChannelOrder.Rgba, "bgra" => ChannelOrder.Bgra, _ => throw new FormatException($"order is '{value}'; rgb, bgr, grey, rgba or bgra is expected") } },
                    "range" => result with { Range = Integer(value) },
                    "mean-image" => result with { MeanImage = MeanImage.Parse(value) },
                    "mean" => result with { Mean = Numbers(value) },
                    "std" => result with { Std = Numbers(value) },
                    _ => throw new FormatException($"'{part}' is not known"),
                };
            }
            // Before the range was written, the mean and deviation of BGR models were in the order of their planes.
            if (result.Order == ChannelOrder.Bgr && !text.Contains("range=", StringComparison.Ordinal))
                result = result with { Mean = [.. result.Mean.Reverse()], Std = [.. result.Std.Reverse()] };
            result.Check();
            return result;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
        {
            throw new FormatException($"The preprocessing '{text}' is broken: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public bool Equals(ImagePreprocessing? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    private static int Integer(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static ImmutableArray<float> Numbers(string text) => [.. text.Split(',').Select(n => float.Parse(n, NumberStyles.Float, CultureInfo.InvariantCulture))];

    private static string Join(ImmutableArray<float> values) => string.Join(',', values.Select(Text));

    private static string Text(float value) => value.ToString("R", CultureInfo.InvariantCulture);
}
