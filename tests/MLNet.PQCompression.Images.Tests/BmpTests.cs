using System.Buffers.Binary;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

public class BmpTests
{
    private static readonly byte[] Palette = [1, 2, 3, 0, 10, 20, 30, 0, 40, 50, 60, 0];

    [Theory]
    [InlineData(1, new byte[] { 0b0100_0000, 0, 0, 0, 0b1000_0000, 0, 0, 0 }, new[] { 1, 0, 0, 1 })]
    [InlineData(4, new byte[] { 0x21, 0, 0, 0, 0x02, 0, 0, 0 }, new[] { 0, 2, 2, 1 })]
    [InlineData(8, new byte[] { 1, 2, 0, 0, 2, 0, 0, 0 }, new[] { 2, 0, 1, 2 })]
    public void Palette_images_are_stored_bottom_up(int bits, byte[] rows, int[] colors)
    {
        RgbImage image = ImageDecoder.Decode(Bmp(2, 2, bits, 0, rows));

        Assert.Equal(colors.SelectMany(c => new[] { Palette[4 * c + 2], Palette[4 * c + 1], Palette[4 * c] }), image.Pixels);
    }

    [Fact]
    public void True_colour_images_may_be_top_down()
    {
        byte[] rows = [3, 2, 1, 6, 5, 4, 0, 0, 9, 8, 7, 12, 11, 10, 0, 0];

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], ImageDecoder.Decode(Bmp(2, -2, 24, 0, rows)).Pixels);
        Assert.Equal([7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6], ImageDecoder.Decode(Bmp(2, 2, 24, 0, rows)).Pixels);
    }

    [Fact]
    public void Thirty_two_bits_drop_the_fourth_byte() =>
        Assert.Equal([1, 2, 3, 4, 5, 6], ImageDecoder.Decode(Bmp(2, 1, 32, 0, [3, 2, 1, 99, 6, 5, 4, 0])).Pixels);

    [Fact]
    public void Bit_fields_say_where_the_colours_are()
    {
        byte[] masks = [0, 0xF8, 0, 0, 0xE0, 0x07, 0, 0, 0x1F, 0, 0, 0];

        Assert.Equal([255, 0, 0, 0, 255, 0], ImageDecoder.Decode(Bmp(2, 1, 16, 3, [0x00, 0xF8, 0xE0, 0x07], masks)).Pixels);
    }

    [Fact]
    public void Run_lengths_are_undone()
    {
        // What a jump leaves out stays black. Two of colour 1; end of row; literally 2, 0, 1 and a fill byte; end of row; a jump by (1, 0); one of colour 2; end.
        byte[] runs = [2, 1, 0, 0, 0, 3, 2, 0, 1, 0, 0, 0, 0, 2, 1, 0, 1, 2, 0, 1];
        RgbImage image = ImageDecoder.Decode(Bmp(3, 3, 8, 1, runs));

        Assert.Equal([0, 2, 0, 2, 0, 1, 1, 1, 0], image.Pixels.Chunk(3).Select(p => p[0] switch { 0 or 3 => 0, 30 => 1, _ => 2 }));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(14u)]
    [InlineData(54u)]
    public void Pixels_that_are_said_to_begin_in_the_header_begin_behind_it(uint offset)
    {
        foreach (byte[] whole in new[] { Bmp(2, 2, 8, 0, [1, 2, 0, 0, 2, 0, 0, 0]), Bmp(2, 1, 24, 0, [3, 2, 1, 6, 5, 4, 0, 0]), Bmp(2, 1, 16, 3, [0x00, 0xF8, 0xE0, 0x07], new byte[] { 0, 0xF8, 0, 0, 0xE0, 0x07, 0, 0, 0x1F, 0, 0, 0 }) })
        {
            byte[] wrong = [.. whole];
            BinaryPrimitives.WriteUInt32LittleEndian(wrong.AsSpan(10), offset);
            Assert.Equal(ImageDecoder.Decode(whole).Pixels, ImageDecoder.Decode(wrong).Pixels);
        }
    }

    [Theory]
    [InlineData(7)]
    [InlineData(0)]
    public void Depths_that_do_not_exist_are_refused(int bits) => Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(Bmp(1, 1, bits, 0, new byte[64])));

    internal static byte[] Bmp(int width, int height, int bits, uint compression, byte[] body, byte[]? masks = null)
    {
        byte[] table = masks ?? (bits <= 8 ? Palette[..Math.Min(Palette.Length, 4 << bits)] : []);
        var header = new byte[54];
        header[0] = (byte)'B';
        header[1] = (byte)'M';
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(10), 54 + table.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(14), 40);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(22), height);
        header[26] = 1;
        header[28] = (byte)bits;
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(30), compression);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(46), masks is null ? table.Length / 4 : 0);
        return [.. header, .. table, .. body];
    }
}
