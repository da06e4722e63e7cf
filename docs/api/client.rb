# A client of the merchant API; it needs nothing but ruby's standard library.
require 'base64'
require 'json'
require 'net/http'
require 'openssl'
require 'securerandom'
require 'uri'

# Bitpro.new('https://pay.example', id, secret).call('GET', '/mapi/charges', 'page=1')
class Bitpro
  class Refused < StandardError; end

  def initialize(url, id, secret)
    @url = URI(url)
    @id = id
    @secret = Base64.strict_decode64(secret)
  end

  # One signed request. Gives the answer's document; a problem is raised, and so is an answer that the server has not signed.
  def call(method, path, query = '', body = nil, idempotency_key: nil)
    nonce = SecureRandom.uuid
    time = Time.now.to_i.to_s
    request = Net::HTTPGenericRequest.new(method, !body.nil?, true, query.empty? ? path : "#{path}?#{query}")
    request['Accept'] = 'application/vnd.bitpro-mapi-20180503+json'
    request['Accept-Encoding'] = 'identity'
    request['Host'] = host
    request['X-Authorization-Timestamp'] = time
    request['Idempotency-Key'] = idempotency_key if idempotency_key
    text = [method, host, path, query, "id=#{@id}&nonce=#{nonce}&realm=Bitpro&version=2.0", time]
    if body
      json = JSON.generate(body)
      hash = Base64.strict_encode64(OpenSSL::Digest::SHA256.digest(json))
      text.push('application/json', hash)
      request['Content-Type'] = 'application/json'
      request['X-Authorization-Content-SHA256'] = hash
      request.body = json
    end
    request['Authorization'] = "acquia-http-hmac realm=\"Bitpro\",id=\"#{@id}\",nonce=\"#{nonce}\",version=\"2.0\"," \
                               "headers=\"\",signature=\"#{sign(text.join("\n"))}\""
    answer = Net::HTTP.start(@url.host, @url.port, use_ssl: @url.scheme == 'https') { |http| http.request(request) }
    document = answer.body
    unless answer['X-Server-Authorization-HMAC-SHA256'] == sign("#{nonce}\n#{time}\n#{document}")
      raise Refused, "not signed by the server: #{answer.code} #{document}"
    end
    raise Refused, "#{answer.code} #{document}" unless answer.is_a?(Net::HTTPSuccess)

    JSON.parse(document)
  end

  private

  # With the port only where it is not the scheme's own, as ruby and curl send it.
  def host
    @url.port == @url.default_port ? @url.host : "#{@url.host}:#{@url.port}"
  end

  def sign(text)
    Base64.strict_encode64(OpenSSL::HMAC.digest('SHA256', @secret, text))
  end
end
