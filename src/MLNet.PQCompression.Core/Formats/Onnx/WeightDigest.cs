using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>A digest of all codes and codebooks of a model, kept in its metadata, by which a reader notices that they have changed and says which.</summary>
/// <remarks>
/// Each weight has a SHA-256 of its shape, d, k, codebook (float32, little-endian) and codes (one or two bytes each, row-major). The text is Base64 of 32 + 3·weights
/// bytes: the SHA-256 of all of them in ascending order, then the first three bytes of each, ascending too. Names and the order of nodes do not enter, and how
/// codes and codebooks are stored does not either.
/// </remarks>
internal static class WeightDigest
{
    /// <summary>The metadata entry.</summary>
    public const string MetadataKey = "pq.sha256";

    private const int Whole = SHA256.HashSizeInBytes, Short = 3, Portion = 4096;

    /// <summary>Has the system's library for hashes loaded on another thread while the model is read: the first hash of a process takes 10 ms, those of a ResNet-18 take one.</summary>
    public static void Prepare(ModelMessage model)
    {
        if (model.Metadata.Exists(e => e.Key == MetadataKey))
            ThreadPool.UnsafeQueueUserWorkItem(_ => SHA256.HashData([]), null);
    }

    /// <summary>The text for some weights, or null where there are none.</summary>
    public static string? Of(IEnumerable<QuantizedTensor> weights)
    {
        var digests = new List<byte[]>();
        foreach (QuantizedTensor weight in weights)
            digests.Add(Hash(weight));
        return digests.Count == 0 ? null : Convert.ToBase64String(Text(digests));
    }

    /// <summary>Holds weights to the text that their file came with.</summary>
    /// <exception cref="InvalidModelException">They are others; the message names one where it can.</exception>
    public static void Verify(string text, IEnumerable<KeyValuePair<string, Initializer>> initializers)
    {
        var digests = new List<byte[]>();
        var names = new List<string>();
        foreach ((string name, Initializer initializer) in initializers)
            if (initializer is QuantizedTensor weight)
            {
                digests.Add(Hash(weight));
                names.Add(name);
            }
        if (digests.Count == 0)
            return; // Another tool has decoded the weights.
        byte[] expected = Decode(text);
        byte[][] unsorted = [.. digests];
        if (Text(digests).AsSpan().SequenceEqual(expected))
            return;
        var known = new HashSet<int>();
        for (int i = Whole; i < expected.Length; i += Short)
            known.Add(Start(expected.AsSpan(i)));
        int changed = Array.FindIndex(unsorted, d => !known.Contains(Start(d)));
        throw new InvalidModelException(changed >= 0
            ? $"the codes or the codebook of '{names[changed]}' are not those that were written (their SHA-256 differs): the file is damaged, or was changed; get it anew"
            : $"its {names.Count} compressed weights are not the {(expected.Length - Whole) / Short} that were written (their SHA-256 differs): the file is damaged, or was changed; get it anew");
    }

    private static byte[] Text(List<byte[]> digests)
    {
        digests.Sort((a, b) => a.AsSpan().SequenceCompareTo(b));
        var text = new byte[Whole + Short * digests.Count];
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < digests.Count; i++)
        {
            all.AppendData(digests[i]);
            digests[i].AsSpan(0, Short).CopyTo(text.AsSpan(Whole + Short * i));
        }
        all.GetHashAndReset(text);
        return text;
    }

    private static byte[] Decode(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out int length) && length >= Whole && (length - Whole) % Short == 0
            ? bytes[..length]
            : throw new InvalidModelException($"its metadata entry '{MetadataKey}' is no digest of its weights: the file is damaged, or was changed; get it anew");
    }

    private static int Start(ReadOnlySpan<byte> digest) => digest[0] << 16 | digest[1] << 8 | digest[2];

    private static byte[] Hash(QuantizedTensor weight)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[sizeof(int)];
        TensorShape rows = weight.IsTransposed ? Initializer.Exchanged(weight.Shape) : weight.Shape;
        Append(rows.Rank, number);
        foreach (int d in rows.Dimensions)
            Append(d, number);
        Append(weight.BlockSize, number);
        Append(weight.Codewords, number);
        hash.AppendData(MemoryMarshal.AsBytes(weight.Codebook));
        if (weight.BytesPerCode == 1 && !weight.ByteCodes.IsEmpty)
            hash.AppendData(weight.ByteCodes);
        else
            AppendCodes(hash, weight);
        return hash.GetHashAndReset();

        void Append(int value, Span<byte> bytes)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
            hash.AppendData(bytes);
        }
    }

    private static void AppendCodes(IncrementalHash hash, QuantizedTensor weight)
    {
        var codes = new ushort[Portion];
        var bytes = new byte[Portion * sizeof(ushort)];
        int count = weight.Rows * weight.BlocksPerRow, size = weight.BytesPerCode;
        for (int first = 0; first < count; first += Portion)
        {
            Span<ushort> part = codes.AsSpan(0, Math.Min(Portion, count - first));
            weight.CopyCodesFrom(first, part);
            for (int i = 0; i < part.Length; i++)
                if (size == 1)
                    bytes[i] = (byte)part[i];
                else
                    BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), part[i]);
            hash.AppendData(bytes, 0, part.Length * size);
        }
    }
}
