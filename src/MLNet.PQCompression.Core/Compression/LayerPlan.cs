using System.Collections.Immutable;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>What is to happen to one layer's weight.</summary>
/// <param name="Node">The layer's node, the first of those that read its weight.</param>
/// <param name="Weight">The name of its weight.</param>
/// <param name="Shape">The weight's shape.</param>
/// <param name="BlockSize">d, or 0 where the layer is left alone.</param>
/// <param name="Codewords">k, or 0 where the layer is left alone.</param>
/// <param name="Reason">Why the layer is left alone, or what was chosen and by which rule.</param>
public sealed record LayerPlan(string Node, string Weight, TensorShape Shape, int BlockSize, int Codewords, string Reason)
{
    /// <summary>The nodes from whose inputs and outputs the layer is made: those that read its weight and do not depend on each other.</summary>
    public ImmutableArray<string> Readers { get => field.IsDefault ? [Node] : field; init; }

    /// <summary>Whether the layer's outputs lie in dimension 1 of its weight.</summary>
    internal bool IsTransposed { get; init; }

    /// <summary>Whether the layer gets a bias that it does not have (<see cref="AddedBiases"/>).</summary>
    internal bool AddsBias { get; init; }

    /// <summary>The most codewords that finer blocks may have; 0 where the blocks stay as they are.</summary>
    internal int MostCodewords { get; init; }

    /// <summary>How many slices the rows are cut into, so that the layer's statistics fit into memory (<see cref="RowSlices"/>).</summary>
    internal int Slices { get; init; } = 1;

    /// <summary>C_out.</summary>
    internal int Rows => Shape[IsTransposed ? 1 : 0];

    /// <summary>The weight of a codebook and codes for the plan's blocks.</summary>
    internal QuantizedTensor Tensor(float[] codebook, ushort[] codes) => new(Shape, BlockSize, codebook, codes, IsTransposed);

    /// <summary>How the weight meets its inputs, in slices; <paramref name="op"/> is that of its node.</summary>
    internal LayerGeometry GeometryOf(Operator op) => LayerGeometry.Of(op, Shape).Sliced(Slices);

    /// <summary>Whether the weight is quantized.</summary>
    public bool IsQuantized => BlockSize > 0;

    /// <summary>C_out·m, the number of blocks, or 0.</summary>
    public long Blocks => IsQuantized ? Shape.Count / BlockSize : 0;

    /// <summary>Bytes of the weight in float32.</summary>
    public long DenseBytes => 4 * Shape.Count;

    /// <summary>Bytes of the weight by the plan, as the paper counts (<see cref="PaperAccounting"/>).</summary>
    public long PaperBytes => IsQuantized ? PaperAccounting.WeightBytes(Blocks, BlockSize, Codewords) : DenseBytes;
}
