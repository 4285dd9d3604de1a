using System.Numerics;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>
/// Sizes as the paper counts them (section 4.1): log₂k bits a code, float16 codebooks, everything else in float32; BatchNorm's running mean and
/// variance are not counted, as they fold into its weight and bias.
/// </summary>
/// <param name="Codes">Bytes of the codes.</param>
/// <param name="Codebooks">Bytes of the codebooks.</param>
/// <param name="Rest">Bytes of all that is not quantized.</param>
public readonly record struct PaperAccounting(long Codes, long Codebooks, long Rest)
{
    /// <summary>All bytes.</summary>
    public long Total => Codes + Codebooks + Rest;

    /// <summary>The size of a model.</summary>
    public static PaperAccounting Of(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        HashSet<string> statistics = [.. graph.Nodes.Where(n => n.Operator is BatchNormalization).SelectMany(n => n.Inputs[3..])];
        var sum = default(PaperAccounting);
        foreach ((string name, Initializer initializer) in graph.Initializers)
            sum += initializer switch
            {
                QuantizedTensor q => new(CodeBytes(q.Codes.Length, q.Codewords), 2L * q.Codebook.Length, 0),
                _ when statistics.Contains(name) => default,
                _ => new(0, 0, 4 * initializer.Shape.Count),
            };
        return sum;
    }

    /// <summary>Bytes of <paramref name="blocks"/> codes of log₂<paramref name="codewords"/> bits each, rounded up.</summary>
    public static long CodeBytes(long blocks, int codewords) => (blocks * BitOperations.Log2((uint)Math.Max(1, codewords - 1) * 2) + 7) / 8;

    /// <summary>Bytes of a quantized weight: its codes and its float16 codewords.</summary>
    internal static long WeightBytes(long blocks, int blockSize, int codewords) => CodeBytes(blocks, codewords) + 2L * codewords * blockSize;

    /// <summary>Adds part by part.</summary>
    public static PaperAccounting operator +(PaperAccounting a, PaperAccounting b) => new(a.Codes + b.Codes, a.Codebooks + b.Codebooks, a.Rest + b.Rest);
}
