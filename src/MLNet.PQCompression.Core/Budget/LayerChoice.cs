using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Budget;

/// <summary>One way to store a layer's weight, with what it takes and costs.</summary>
/// <param name="BlockSize">d, or 0 for a dense weight.</param>
/// <param name="Codewords">k, or 0.</param>
/// <param name="FileBytes">Bytes of the weight in the file: codes of a byte (and bit planes above 8 bits) and float16 codewords, or float32.</param>
/// <param name="Error">The share of the energy of the layer's outputs that is error.</param>
/// <param name="Divergence">What that alone costs the network: KL in nats or 1 − cosine.</param>
/// <param name="IsMeasured">Whether the error was measured by a search, and not interpolated between two that were.</param>
public readonly record struct LayerChoice(int BlockSize, int Codewords, long FileBytes, double Error, double Divergence, bool IsMeasured)
{
    /// <summary>Bytes of a quantized weight in the file.</summary>
    public static long QuantizedBytes(TensorShape shape, int blockSize, int codewords) => FittedBlocks.FileBytes(shape, blockSize, codewords);
}
