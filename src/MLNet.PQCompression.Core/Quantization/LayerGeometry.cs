using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Quantization;

/// <summary>How a layer's weight meets its inputs: every output is the product of a row of the weight with a row of inputs.</summary>
/// <param name="Rows">C_out, the rows of the weight.</param>
/// <param name="RowLength">n = C_in/g·kh·kw, the length of a row.</param>
/// <param name="Groups">g; the rows of one group read the same inputs.</param>
/// <param name="Window">The window of a convolution, or null for a linear layer.</param>
public sealed record LayerGeometry(int Rows, int RowLength, int Groups = 1, Window? Window = null)
{
    /// <summary>The rows of one group.</summary>
    public int RowsPerGroup => Rows / Groups;

    /// <summary>The geometry of a convolution or of a linear layer, in the form that <see cref="LayerActivations"/> brings its inputs into.</summary>
    /// <exception cref="ArgumentException">The operator is neither.</exception>
    public static LayerGeometry Of(Operator op, TensorShape weight) => op switch
    {
        Conv conv => new(weight[0], weight[1] * weight[2] * weight[3], conv.Group, conv.Window),
        ConvTranspose { Group: 1 } conv => new(weight[1], weight[0] * weight[2] * weight[3], 1, LayerActivations.WindowOf(conv)),
        Gemm { TransposeA: false, TransposeB: true } => new(weight[0], weight[1]),
        Gemm { TransposeA: false } or MatMul => new(weight[1], weight[0]),
        _ => throw new ArgumentException($"{op.OnnxName} is not a layer whose weight can be cut into blocks.", nameof(op)),
    };

    /// <summary>
    /// A layer of one group with its rows cut into slices that count as groups: slice s of all rows, then slice s + 1. An output is then the sum of one output of each group. Of H only the squares of the slices are left.
    /// </summary>
    /// <param name="slices">How many, each of whole channels.</param>
    internal LayerGeometry Sliced(int slices) => slices == 1 ? this : this with { Rows = Rows * slices, RowLength = RowLength / slices, Groups = slices };

    /// <summary>Whether a layer's outputs lie in dimension 1 of its weight and not in dimension 0, so that blocks are cut from the weight with the two exchanged.</summary>
    public static bool HasOutputsInColumns(Operator op) => op is ConvTranspose or MatMul or Gemm { TransposeB: false };

    /// <summary>The rows of a layer's weight, C_out×n.</summary>
    internal static ReadOnlySpan<float> RowsOf(Operator op, Initializer weight) => HasOutputsInColumns(op) ? Initializer.Exchange(weight.Values, weight.Shape) : weight.Values;
}
