using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>What is to happen to one layer's weight.</summary>
/// <param name="Node">The layer's node.</param>
/// <param name="Weight">The name of its weight.</param>
/// <param name="Shape">The weight's shape.</param>
/// <param name="BlockSize">d, or 0 where the layer is left alone.</param>
/// <param name="Codewords">k, or 0 where the layer is left alone.</param>
/// <param name="Reason">Why the layer is left alone, or what was chosen and by which rule.</param>
public sealed record LayerPlan(string Node, string Weight, TensorShape Shape, int BlockSize, int Codewords, string Reason)
{
    /// <summary>Whether the weight is quantized.</summary>
    public bool IsQuantized => BlockSize > 0;

    /// <summary>C_out·m, the number of blocks, or 0.</summary>
    public long Blocks => IsQuantized ? Shape.Count / BlockSize : 0;

    /// <summary>Bytes of the weight in float32.</summary>
    public long DenseBytes => 4 * Shape.Count;

    /// <summary>Bytes of the weight by the plan, as the paper counts (<see cref="PaperAccounting"/>).</summary>
    public long PaperBytes => IsQuantized ? PaperAccounting.CodeBytes(Blocks, Codewords) + 2L * Codewords * BlockSize : DenseBytes;
}
