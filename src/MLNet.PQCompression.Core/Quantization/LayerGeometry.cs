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

    /// <summary>The geometry of a convolution or of a linear layer whose weight is stored [C_out, n].</summary>
    /// <exception cref="ArgumentException">The operator is neither.</exception>
    public static LayerGeometry Of(Operator op, TensorShape weight) => op switch
    {
        Conv conv => new(weight[0], weight[1] * weight[2] * weight[3], conv.Group, conv.Window),
        Gemm { TransposeA: false, TransposeB: true } => new(weight[0], weight[1]),
        _ => throw new ArgumentException($"{op.OnnxName} is not a layer whose weight can be cut into blocks.", nameof(op)),
    };
}
