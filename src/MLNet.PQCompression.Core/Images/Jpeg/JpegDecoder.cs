using System.Buffers.Binary;

namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>Decodes sequential and progressive Huffman-coded JPEG images of 8 bits (ITU-T T.81). Pixels equal libjpeg's with its default settings.</summary>
internal ref struct JpegDecoder
{
    /// <summary>More scans than any encoder makes; many empty scans over a large image would otherwise cost hours.</summary>
    private const int MaxScans = 256;

    private readonly ReadOnlySpan<byte> _data;
    private readonly ImageDecoderOptions _options;
    private readonly ushort[]?[] _quantization = new ushort[]?[4];
    private readonly HuffmanTable?[] _dcTables = new HuffmanTable?[4];
    private readonly HuffmanTable?[] _acTables = new HuffmanTable?[4];
    private int _position = 2;
    private int _restartInterval;
    private int _scans;
    private bool _jfif;
    private int? _adobeTransform;
    private int _orientation = 1;
    private JpegFrame? _frame;

    private JpegDecoder(ReadOnlySpan<byte> data, ImageDecoderOptions options)
    {
        _data = data;
        _options = options;
    }

    /// <summary>Decodes an image that starts with SOI.</summary>
    public static RgbImage Decode(ReadOnlySpan<byte> data, ImageDecoderOptions options)
    {
        var decoder = new JpegDecoder(data, options);
        try
        {
            decoder.ReadSegments();
            return decoder.Finish();
        }
        finally
        {
            decoder._frame?.Dispose();
        }
    }

    private void ReadSegments()
    {
        try
        {
            while (ReadMarker() is var marker && marker != JpegMarker.EOI)
                ReadSegment(marker);
        }
        catch (InvalidImageException e) when (e.Fault == ImageFault.Truncated && _scans > 0 && (_options.AllowTruncated || IsWhole()))
        {
            // What has been decoded is the image: an end marker alone may be missing, the rest only where the options allow it.
        }
    }

    /// <summary>Whether a sequential frame has had a complete scan of every component, so that nothing but the end marker is missing.</summary>
    private readonly bool IsWhole() => _frame is { Progressive: false } && _position >= _data.Length && _frame.Components.All(c => c.IsDecoded);

    private int ReadMarker()
    {
        while (_position + 1 < _data.Length)
        {
            if (_data[_position] == 0xFF && _data[_position + 1] is not (0 or 0xFF))
            {
                _position += 2;
                return _data[_position - 1];
            }
            _position++;
        }
        _position = _data.Length;
        throw Truncated("the end marker is missing");
    }

    private void ReadSegment(int marker)
    {
        if (marker is JpegMarker.TEM or JpegMarker.SOI or (>= JpegMarker.RST0 and <= JpegMarker.RST7))
            return;
        if (_position + 2 > _data.Length)
            throw Truncated("a segment has no length");
        int length = BinaryPrimitives.ReadUInt16BigEndian(_data[_position..]);
        if (length < 2)
            throw Malformed($"the segment FF{marker:X2} has the length {length}; at least 2 is valid");
        if (_position + length > _data.Length)
            throw Truncated($"the segment FF{marker:X2} needs {length} bytes, {_data.Length - _position} are left");
        ReadOnlySpan<byte> body = _data.Slice(_position + 2, length - 2);
        _position += length;
        switch (marker)
        {
            case JpegMarker.DQT:
                ReadQuantization(body);
                break;
            case JpegMarker.DHT:
                ReadHuffman(body);
                break;
            case JpegMarker.SOF0 or JpegMarker.SOF1 or JpegMarker.SOF2:
                ReadFrame(body, marker == JpegMarker.SOF2);
                break;
            case JpegMarker.DAC:
                throw Unsupported("arithmetic coding is not supported");
            case JpegMarker.DNL:
                throw Unsupported("a height given after the first scan (DNL) is not supported");
            case > JpegMarker.SOF0 and <= JpegMarker.SOF15 and not JpegMarker.JPG:
                throw Unsupported($"the {JpegMarker.ProcessName(marker)} process (FF{marker:X2}) is not supported; baseline, extended sequential and progressive with Huffman coding are");
            case JpegMarker.DRI:
                _restartInterval = body.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(body) : throw Malformed("the restart interval has no value");
                break;
            case JpegMarker.SOS:
                ReadScan(body);
                break;
            case JpegMarker.APP0:
                _jfif |= body.StartsWith("JFIF\0"u8);
                break;
            case JpegMarker.APP1:
                if (body.StartsWith("Exif\0\0"u8))
                    _orientation = Orientation.Read(body[6..]);
                break;
            case JpegMarker.APP14:
                if (body.Length >= 12 && body.StartsWith("Adobe"u8))
                    _adobeTransform = body[11];
                break;
        }
    }

    private readonly void ReadQuantization(ReadOnlySpan<byte> body)
    {
        while (!body.IsEmpty)
        {
            int wide = body[0] >> 4, slot = body[0] & 15, size = wide == 0 ? 64 : 128;
            if (wide > 1 || slot > 3 || body.Length < 1 + size)
                throw Malformed("a quantization table is broken");
            var steps = new ushort[64];
            for (int i = 0; i < 64; i++)
                steps[i] = wide == 0 ? body[1 + i] : BinaryPrimitives.ReadUInt16BigEndian(body[(1 + 2 * i)..]);
            _quantization[slot] = steps;
            body = body[(1 + size)..];
        }
    }

    private readonly void ReadHuffman(ReadOnlySpan<byte> body)
    {
        while (!body.IsEmpty)
        {
            int kind = body[0] >> 4, slot = body[0] & 15, total = 0;
            if (kind > 1 || slot > 3 || body.Length < 17)
                throw Malformed("a Huffman table is broken");
            foreach (byte count in body.Slice(1, 16))
                total += count;
            if (total > 256 || body.Length < 17 + total)
                throw Malformed($"a Huffman table declares {total} symbols and has {body.Length - 17} bytes for them");
            (kind == 0 ? _dcTables : _acTables)[slot] = new(body.Slice(1, 16), body.Slice(17, total), kind == 0);
            body = body[(17 + total)..];
        }
    }

    private void ReadFrame(ReadOnlySpan<byte> body, bool progressive)
    {
        if (_frame is not null)
            throw Malformed("there are two frame headers");
        if (body.Length < 6 || body.Length < 6 + body[5] * 3)
            throw Malformed("the frame header is too short");
        if (body[0] != 8)
            throw Unsupported($"samples of {body[0]} bits are not supported; 8 are");
        int height = BinaryPrimitives.ReadUInt16BigEndian(body[1..]), width = BinaryPrimitives.ReadUInt16BigEndian(body[3..]);
        if (height == 0)
            throw Unsupported("a height given after the first scan (DNL) is not supported");
        _options.CheckSize("JPEG", width, height);
        var components = new JpegComponent[body[5]];
        for (int i = 0; i < components.Length; i++)
        {
            ReadOnlySpan<byte> entry = body.Slice(6 + 3 * i, 3);
            int horizontal = entry[1] >> 4, vertical = entry[1] & 15;
            if (horizontal is < 1 or > 4 || vertical is < 1 or > 4 || entry[2] > 3)
                throw Malformed($"component {entry[0]} has the sampling factors {horizontal}×{vertical} and the quantization table {entry[2]}; 1 to 4 and 0 to 3 are valid");
            components[i] = new(entry[0], horizontal, vertical, entry[2]);
        }
        if (components.Length is not (1 or 3 or 4))
            throw Unsupported($"images of {components.Length} components are not supported; 1, 3 and 4 are");
        if (components.Length == 1)
            components[0] = new(components[0].Id, 1, 1, components[0].QuantizationSlot);
        _frame = new(width, height, progressive, components);
        _frame.Allocate(_data.Length, _options.AllowTruncated);
    }

    private void ReadScan(ReadOnlySpan<byte> body)
    {
        JpegFrame frame = _frame ?? throw Malformed("a scan comes before the frame header");
        if (++_scans > MaxScans)
            throw Malformed($"there are more than {MaxScans} scans");
        int count = body.IsEmpty ? 0 : body[0];
        if (count is < 1 or > 4 || body.Length < 4 + 2 * count)
            throw Malformed("a scan header is broken");
        var components = new JpegComponent[count];
        for (int i = 0; i < count; i++)
        {
            int id = body[1 + 2 * i], tables = body[2 + 2 * i];
            JpegComponent component = Array.Find(frame.Components, c => c.Id == id) ?? throw Malformed($"a scan refers to component {id}, which the frame lacks");
            if (components.Contains(component) || (tables >> 4) > 3 || (tables & 15) > 3)
                throw Malformed($"a scan names component {id} twice or with Huffman tables {tables >> 4} and {tables & 15}; 0 to 3 are valid");
            component.DcTable = _dcTables[tables >> 4];
            component.AcTable = _acTables[tables & 15];
            component.Quantization ??= _quantization[component.QuantizationSlot]
                ?? throw Malformed($"component {id} refers to quantization table {component.QuantizationSlot}, which is not defined");
            components[i] = component;
        }
        ReadOnlySpan<byte> range = body[(1 + 2 * count)..];
        var scan = new JpegScan(components, range[0], range[1], range[2] >> 4, range[2] & 15, _restartInterval);
        var bits = new JpegBitReader(_data, _position);
        if (frame.Progressive)
            ProgressiveScan.Decode(ref bits, frame, scan);
        else
            SequentialScan.Decode(ref bits, frame, scan);
        foreach (JpegComponent component in components)
            component.IsDecoded = true;
        _position = bits.End();
    }

    private readonly RgbImage Finish()
    {
        JpegFrame frame = _frame ?? throw Truncated("there is no frame header");
        foreach (JpegComponent component in frame.Components)
            if (!component.IsDecoded && !_options.AllowTruncated)
                throw Truncated($"there is no scan of component {component.Id}");
        RgbImage image = JpegOutput.Render(frame, JpegColor.Detect(frame.Components, _jfif, _adobeTransform), _adobeTransform is not null);
        return _options.ApplyOrientation ? Orientation.Apply(image, _orientation) : image;
    }

    private static InvalidImageException Truncated(string what) => new(ImageFault.Truncated, $"JPEG: {what}.");

    private static InvalidImageException Malformed(string what) => new(ImageFault.Malformed, $"JPEG: {what}.");

    private static InvalidImageException Unsupported(string what) => new(ImageFault.Unsupported, $"JPEG: {what}.");
}
