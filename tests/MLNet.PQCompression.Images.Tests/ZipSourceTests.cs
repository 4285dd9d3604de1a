using System.Buffers.Binary;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

/// <summary>Archives as sources of images: the rules of folders, names in any code page, and bytes that lie.</summary>
public sealed class ZipSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_zip_follows_the_same_rules()
    {
        string path = _folder.WriteZip("set.zip", ("b\\2.pgm", TemporaryFolder.Pixel(2)), ("a/1.pgm", TemporaryFolder.Pixel(1)), ("a/", []), ("__MACOSX/a/1.pgm", []), ("readme.md", []));

        using var source = ImageSource.Open(path);
        Assert.Equal([("a/1.pgm", 0), ("b/2.pgm", 1)], source.Images.Select(i => (i.Name, i.Label)));
        Assert.Equal(TemporaryFolder.Pixel(2), source.Read(1));
        Assert.Equal([1, 1, 1], source.Decode(0).Pixels);
    }

    [Fact]
    public void Names_in_a_zip_are_read_by_the_code_page_that_they_are_written_in()
    {
        // The names are put in as bytes of the same length, and not marked as UTF-8: code page 437, and UTF-8 that no flag tells.
        byte[] zip = File.ReadAllBytes(_folder.WriteZip("set.zip", ("m~ller.pgm", TemporaryFolder.Pixel(1)), ("m!ller.pgm", TemporaryFolder.Pixel(2)), ("gr~~n.pgm", TemporaryFolder.Pixel(3))));
        Replace(zip, "m~ller"u8, [(byte)'m', 0x81, (byte)'l', (byte)'l', (byte)'e', (byte)'r']);
        Replace(zip, "m!ller"u8, [(byte)'m', 0x82, (byte)'l', (byte)'l', (byte)'e', (byte)'r']);
        Replace(zip, "gr~~n"u8, "grün"u8.ToArray());

        using var source = ImageSource.Open(_folder.Write("names.zip", zip));
        Assert.Equal(["grün.pgm", "méller.pgm", "müller.pgm"], source.Images.Select(i => i.Name));
        Assert.Equal([3, 2, 1], Enumerable.Range(0, 3).Select(i => (int)source.Decode(i).Pixels[0]));
        Assert.Equal([7, -1, 5], source.WithLabels(_folder.Write("l.csv", "müller.pgm,5\ngrün.pgm,7\n")).Images.Select(i => i.Label));
    }

    [Fact]
    public void A_second_file_of_one_name_in_a_zip_is_told()
    {
        using var source = ImageSource.Open(_folder.WriteZip("set.zip", ("1.pgm", TemporaryFolder.Pixel(1)), ("1.pgm", TemporaryFolder.Pixel(2))));
        Assert.Equal("1.pgm", Assert.Single(source.Images).Name);
        Assert.Equal("1.pgm", Assert.Single(source.LeftOut).Name);
    }

    private static void Replace(byte[] bytes, ReadOnlySpan<byte> from, byte[] to)
    {
        for (int at; (at = bytes.AsSpan().IndexOf(from)) >= 0;)
            to.CopyTo(bytes, at);
    }

    [Fact]
    public void A_zip_that_lies_about_sizes_is_refused_in_bounded_memory()
    {
        string path = _folder.WriteZip("set.zip", ("1.pgm", TemporaryFolder.Pixel(1)));
        byte[] zip = File.ReadAllBytes(path);
        int directory = zip.AsSpan().LastIndexOf("PK\x01\x02"u8);
        foreach (uint size in new uint[] { 0, 1, 5, 1000, 200 << 20, 2_000_000_000, uint.MaxValue - 1 })
        {
            byte[] lying = [.. zip];
            BinaryPrimitives.WriteUInt32LittleEndian(lying.AsSpan(directory + 24), size);
            using var source = ImageSource.Open(_folder.Write($"lying-{size}.zip", lying));
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Assert.Equal([1, 1, 1], source.Decode(0).Pixels);
            }
            catch (InvalidImageException e)
            {
                Assert.Contains("1.pgm", e.Message);
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        }
    }

    [Fact]
    public void Random_bytes_changed_in_a_zip()
    {
        byte[] zip = File.ReadAllBytes(_folder.WriteZip("set.zip", ("a/1.pgm", TemporaryFolder.Pixel(1)), ("b/2.pgm", TemporaryFolder.Pixel(2))));
        var random = new Random(5);
        for (int round = 0; round < 300; round++)
        {
            byte[] changed = [.. zip];
            changed[random.Next(changed.Length)] = (byte)random.Next(256);
            string path = _folder.Write("changed.zip", round % 3 == 0 ? changed[..random.Next(changed.Length)] : changed);
            try
            {
                using var source = ImageSource.Open(path);
                for (int i = 0; i < source.Count; i++)
                    source.Decode(i);
            }
            catch (Exception e) when (e is InvalidDataException or InvalidImageException)
            {
                // The outcomes that are allowed beside images.
            }
        }
    }
}
