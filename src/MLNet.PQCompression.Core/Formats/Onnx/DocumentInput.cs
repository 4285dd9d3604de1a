namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>How a document takes its image.</summary>
public enum ImageLayout
{
    /// <summary>N×C×H×W.</summary>
    Nchw,

    /// <summary>N×H×W×C.</summary>
    Nhwc,

    /// <summary>C×H×W, one image.</summary>
    Chw,

    /// <summary>H×W×C, one image.</summary>
    Hwc,

    /// <summary>The bytes of one encoded image file.</summary>
    Encoded,
}

/// <summary>The image input of a document.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ElementType">The number of its element type in ONNX: 1 float32, 2 uint8, 10 float16.</param>
/// <param name="Layout">How its dimensions are to be read.</param>
/// <param name="Batch">The number of images it takes, or null where that is open.</param>
/// <param name="Channels">C.</param>
/// <param name="Height">H, or -1 where that is open.</param>
/// <param name="Width">W, or -1 where that is open.</param>
public sealed record DocumentInput(string Name, int ElementType, ImageLayout Layout, int? Batch, int Channels, int Height, int Width)
{
    private const int Float32 = 1, Unsigned8 = 2, Text = 8, Float16 = 10, Float64 = 11, BFloat16 = 16, MaxSize = 1 << 20, UsualChannels = 3, LeastExtent = 8;

    /// <summary>Whether only whole numbers fit, so that pixels go in as they are: 0 to 255.</summary>
    public bool TakesWholeNumbers => ElementType is not (Float32 or Float16 or Float64 or BFloat16);

    /// <summary>The image input as a value info describes it, or null where it cannot be one.</summary>
    internal static DocumentInput? Of(ValueInfoMessage input, GraphMessage graph)
    {
        if (input.ElementType is 0 or Text || input.Dimensions is not { } dimensions)
            return null;
        var sizes = new int[dimensions.Count];
        for (int i = 0; i < sizes.Length; i++)
            sizes[i] = dimensions[i] is > 0 and <= MaxSize ? (int)dimensions[i] : -1;
        return sizes switch
        {
            [var n, var h, var w, (1 or 3 or 4) and var c] when IsExtent(h) && IsExtent(w) && FirstConvolution(input.Name, graph) is null =>
                new(input.Name, input.ElementType, ImageLayout.Nhwc, Known(n), c, h, w),
            [var n, var c, var h, var w] => new(input.Name, input.ElementType, ImageLayout.Nchw, Known(n), c > 0 ? c : ChannelsOf(input.Name, graph), h, w),
            [var h, var w, (1 or 3 or 4) and var c] when IsExtent(h) && IsExtent(w) => new(input.Name, input.ElementType, ImageLayout.Hwc, 1, c, h, w),
            [var c, var h, var w] => new(input.Name, input.ElementType, ImageLayout.Chw, 1, c > 0 ? c : UsualChannels, h, w),
            [_] when input.ElementType == Unsigned8 => new(input.Name, input.ElementType, ImageLayout.Encoded, 1, UsualChannels, -1, -1),
            _ => null,
        };
    }

    private static int? Known(int size) => size > 0 ? size : null;

    /// <summary>Whether a size may be an image's height or width and not its channels.</summary>
    private static bool IsExtent(int size) => size is < 0 or >= LeastExtent;

    /// <summary>Where the input leaves its channels open, those of the convolution that reads it.</summary>
    private static int ChannelsOf(string name, GraphMessage graph)
    {
        if (FirstConvolution(name, graph) is not { Inputs.Count: > 1 } node || graph.Initializers.Find(t => t.Name == node.Inputs[1]) is not { Dimensions.Count: 4 } weight)
            return UsualChannels;
        long group = node.Attributes.Find(a => a.Name == "group")?.Integer ?? 1;
        return weight.Dimensions[1] * group is > 0 and <= MaxSize and var channels ? (int)channels : UsualChannels;
    }

    private static NodeMessage? FirstConvolution(string name, GraphMessage graph) => graph.Nodes.Find(n => n.Type == "Conv" && n.Inputs.Count > 0 && n.Inputs[0] == name);
}
