using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace MLNet.PQCompression.Tests.Images;

/// <summary>Writes PNG streams of every colour type, bit depth, filter and interlace, with nothing checked.</summary>
internal static class TestPng
{
    public static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    public static byte[] Encode(int width, int height, int depth, int color, int[] samples, bool interlaced = false, int filter = 0, byte[]? palette = null, int idatSize = 1 << 20)
    {
        int channels = color switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        var raw = new MemoryStream();
        foreach (TestPngPass pass in interlaced ? TestPngPass.Adam7 : [new TestPngPass(0, 0, 1, 1)])
        {
            int columns = pass.Columns(width), rows = pass.Rows(height);
            byte[] above = new byte[(columns * channels * depth + 7) / 8];
            for (int y = 0; y < rows && columns > 0; y++)
            {
                var row = new byte[above.Length];
                for (int i = 0; i < columns * channels; i++)
                {
                    int x = pass.FirstColumn + i / channels * pass.ColumnStep;
                    int sample = samples[((pass.FirstRow + y * pass.RowStep) * width + x) * channels + i % channels];
                    if (depth == 16)
                        BinaryPrimitives.WriteUInt16BigEndian(row.AsSpan(2 * i), (ushort)sample);
                    else
                        row[i * depth / 8] |= (byte)(sample << (8 - depth - i * depth % 8));
                }
                int kind = filter == 5 ? y % 5 : filter;
                raw.WriteByte((byte)kind);
                raw.Write(Filter(kind, row, above, Math.Max(1, channels * depth / 8)));
                above = row;
            }
        }
        byte[] compressed = Zlib(raw.ToArray());
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)depth, (byte)color, interlaced ? (byte)1 : (byte)0);
        IEnumerable<byte> file = [.. Signature, .. Chunk("IHDR", header), .. palette is null ? [] : Chunk("PLTE", palette), .. Chunk("tEXt", [1, 2, 3])];
        foreach (byte[] part in compressed.Chunk(idatSize))
            file = file.Concat(Chunk("IDAT", part));
        return [.. file, .. Chunk("IEND", [])];
    }

    public static byte[] Chunk(string type, byte[] body)
    {
        byte[] content = [.. Encoding.ASCII.GetBytes(type), .. body];
        var chunk = new byte[content.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, body.Length);
        content.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(4 + content.Length), Crc32.HashToUInt32(content));
        return chunk;
    }

    public static byte[] Zlib(byte[] bytes)
    {
        var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(bytes);
        return compressed.ToArray();
    }

    private static byte[] Filter(int kind, byte[] row, byte[] above, int distance)
    {
        var filtered = new byte[row.Length];
        for (int i = 0; i < row.Length; i++)
        {
            int a = i < distance ? 0 : row[i - distance], b = above[i], c = i < distance ? 0 : above[i - distance], p = a + b - c;
            int paeth = Math.Abs(p - a) <= Math.Abs(p - b) && Math.Abs(p - a) <= Math.Abs(p - c) ? a : Math.Abs(p - b) <= Math.Abs(p - c) ? b : c;
            filtered[i] = (byte)(row[i] - kind switch { 1 => a, 2 => b, 3 => (a + b) / 2, 4 => paeth, _ => 0 });
        }
        return filtered;
    }
}
