using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// Brings the inputs and outputs of a layer into the form of a convolution or of a plain matrix product, in which rows of inputs are gathered.
/// </summary>
/// <remarks>
/// A transposed convolution of stride s is a convolution of stride 1 over its input stretched by s, zeros in between, with its taps in reverse. Turning input and output by half a turn
/// reverses them back, so that its weight's rows need no other order. Products of stacks of matrices are 1×1 convolutions over the rows of each stack.
/// </remarks>
internal static class LayerActivations
{
    /// <summary>The window that a transposed convolution's turned weight slides over its stretched and turned input.</summary>
    public static Window WindowOf(ConvTranspose conv)
    {
        Window w = conv.Window;
        (int height, int width) = (w.DilationY * (w.KernelHeight - 1), w.DilationX * (w.KernelWidth - 1));
        return new(w.KernelHeight, w.KernelWidth, 1, 1, height + conv.ExtraHeight - w.PadBottom, width + conv.ExtraWidth - w.PadRight, height - w.PadTop, width - w.PadLeft, w.DilationY, w.DilationX);
    }

    /// <summary>A layer's geometry in the form that its activations are brought into.</summary>
    public static LayerGeometry GeometryOf(Operator op, TensorShape weight) => op is MatMul ? LayerGeometry.Of(op, weight) with { Window = Window.Square(1) } : LayerGeometry.Of(op, weight);

    /// <summary>The input of a layer's node.</summary>
    public static Activation Input(Operator op, Activation x) => op switch
    {
        ConvTranspose conv => Turned(x, conv.Window.StrideY, conv.Window.StrideX),
        MatMul => ChannelsFirst(x),
        _ => x,
    };

    /// <summary>The output of a layer's node.</summary>
    public static Activation Output(Operator op, Activation y) => op switch
    {
        ConvTranspose => Turned(y, 1, 1),
        MatMul => ChannelsFirst(y),
        _ => y,
    };

    /// <summary>The rows of inputs that a value of a shape holds for a layer.</summary>
    public static long RowsOf(Operator op, TensorShape input, LayerGeometry geometry) => op switch
    {
        _ when input.Count == 0 => 0,
        Conv conv => (long)input[0] * conv.Window.OutputHeight(input[2]) * conv.Window.OutputWidth(input[3]),
        ConvTranspose conv => input[0] * conv.OutputHeight(input[2]) * conv.OutputWidth(input[3]),
        _ => input.Count / ((long)geometry.RowLength * geometry.Groups),
    };

    /// <summary>The samples in a value of a shape.</summary>
    public static int ImagesOf(TensorShape input) => input.Rank < 2 ? 1 : input[0];

    /// <summary>N×C×H×W turned by half a turn, with zeros between its rows and columns: N×C×((H−1)·stepY+1)×((W−1)·stepX+1).</summary>
    private static Activation Turned(Activation x, int stepY, int stepX)
    {
        (int height, int width) = (x.Shape[2], x.Shape[3]);
        var turned = new TensorShape(x.Shape[0], x.Shape[1], height == 0 ? 0 : (height - 1) * stepY + 1, width == 0 ? 0 : (width - 1) * stepX + 1);
        var values = new float[turned.Count];
        ReadOnlySpan<float> source = x.Span;
        for (int row = 0; row < x.Shape[0] * x.Shape[1] * height; row++)
        {
            int plane = row / height, y = row % height, target = (plane * turned[2] + (height - 1 - y) * stepY + 1) * turned[3] - 1;
            for (int column = 0; column < width; column++)
                values[target - column * stepX] = source[row * width + column];
        }
        return new(turned, values);
    }

    /// <summary>N×…×C as N×C×T×1, T the rows of each stack; a matrix has one row each.</summary>
    private static Activation ChannelsFirst(Activation x)
    {
        int channels = x.Shape[x.Shape.Rank - 1], images = x.Shape.Rank == 1 ? 1 : x.Shape[0];
        int rows = images * channels == 0 ? 0 : (int)(x.Shape.Count / images / channels);
        var values = new float[x.Shape.Count];
        for (int i = 0; i < images; i++)
            Initializer.Exchange(x.Span.Slice(i * rows * channels, rows * channels), new(rows, channels)).CopyTo(values, i * rows * channels);
        return new(new(images, channels, rows, 1), values);
    }
}
